import { expect, it } from 'vitest';
import { keepRunning } from '../../local/keep-running.ts';
import type { Exit, RunningPart } from '../../local/part.ts';
import { until } from '../../local/until.ts';

const PATIENCE = { restarts: 2, withinMs: 60_000, pauseMs: 1 };

/** A part that ends when it is told to, and what happens with it. */
function aPart() {
  const told: string[] = [];
  const running: { end: (exit: Exit) => void }[] = [];
  let failing: Error | undefined;
  let hold: Promise<void> = Promise.resolve();
  return {
    told,
    running,
    failWith: (error: Error | undefined) => {
      failing = error;
    },
    holdStart: (until: Promise<void>) => {
      hold = until;
    },
    tell: (line: string) => void told.push(line),
    async start(): Promise<RunningPart> {
      await hold;
      if (failing) throw failing;
      let end: (exit: Exit) => void = () => undefined;
      const exited = new Promise<Exit>((resolve) => {
        end = resolve;
      });
      running.push({ end });
      return { exited, lastLines: () => ['all is well'], stop: async () => end({ code: 0, signal: null }) };
    },
  };
}

const killed: Exit = { code: null, signal: 'SIGKILL' };

it('throws what keeps it from starting at first', async () => {
  const part = aPart();
  part.failWith(new Error('port taken'));
  await expect(keepRunning('It', part.start, part.tell, PATIENCE)).rejects.toThrow('port taken');
});

it('says how it ended and what it said last, and starts it again', async () => {
  const part = aPart();
  const kept = await keepRunning('It', part.start, part.tell, PATIENCE);
  part.running[0]?.end({ code: 3, signal: null });
  await until(() => part.running.length === 2);
  await until(() => part.told.length === 3);
  expect(part.told).toEqual([
    'It ended with exit code 3. It said last:\n  | all is well',
    'Starting It again (1 of 2 within 60 s) …',
    'It runs again.',
  ]);
  await kept.stop();
  expect(part.running).toHaveLength(2);
});

it('gives up when it ends too often, counting starts that fail', async () => {
  const part = aPart();
  const kept = await keepRunning('It', part.start, part.tell, PATIENCE);
  part.failWith(new Error('no disk\nand more'));
  part.running[0]?.end(killed);
  await expect(kept.givenUp).rejects.toThrow('It did not start: no disk, after 2 restarts within 60 s: Defib ends.');
  await expect(kept.running()).rejects.toThrow('Defib ends');
  await kept.stop();
});

it('does not count what was long ago', async () => {
  const part = aPart();
  const kept = await keepRunning('It', part.start, part.tell, { ...PATIENCE, restarts: 1, withinMs: 0 });
  for (let ends = 1; ends <= 4; ends++) {
    part.running.at(-1)?.end(killed);
    await until(() => part.running.length === ends + 1);
  }
  await kept.stop();
});

it('ends one that is being started again when it is to stop', async () => {
  const part = aPart();
  const kept = await keepRunning('It', part.start, part.tell, PATIENCE);
  let release: () => void = () => undefined;
  part.holdStart(
    new Promise((resolve) => {
      release = resolve;
    }),
  );
  part.running[0]?.end(killed);
  await until(() => part.told.length === 2);
  const stopped = kept.stop();
  release();
  await stopped;
  expect(part.running).toHaveLength(2);
  expect(await Promise.race([kept.givenUp, stopped])).toBeUndefined();
});

it('pauses before it is started again and again', async () => {
  const part = aPart();
  const startedAtMs: number[] = [];
  const start = () => {
    startedAtMs.push(performance.now());
    return part.start();
  };
  const kept = await keepRunning('It', start, part.tell, { ...PATIENCE, pauseMs: 50 });
  for (let ends = 1; ends <= 2; ends++) {
    part.running.at(-1)?.end(killed);
    await until(() => part.running.length === ends + 1);
  }
  const [, first = 0, second = 0] = startedAtMs;
  // a timer may be a millisecond early
  expect(second - first).toBeGreaterThanOrEqual(49);
  await kept.stop();
});

it('is not started again when it is to stop during the pause', async () => {
  const part = aPart();
  const kept = await keepRunning('It', part.start, part.tell, { ...PATIENCE, pauseMs: 500 });
  part.running[0]?.end(killed);
  await until(() => part.running.length === 2);
  part.running[1]?.end(killed);
  await until(() => part.told.some((line) => line.includes('(2 of 2')));
  await kept.stop();
  expect(part.running).toHaveLength(2);
});
