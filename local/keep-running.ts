import { setTimeout as sleep } from 'node:timers/promises';
import { firstLineOf, StartError } from '../workers/start-error.ts';
import { type RunningPart, wordsOfExit } from './part.ts';

/** A part of `npm start` that is started again when it ends by itself. */
export interface KeptPart {
  /** Rejects with a StartError when it has ended too often; never resolves. */
  readonly givenUp: Promise<never>;
  /** Resolves when it runs: at once, unless it is being started again. Rejects when it was given up. */
  readonly running: () => Promise<unknown>;
  /** Ends it for good; may be called more than once. */
  readonly stop: () => Promise<void>;
}

/** How often it is started again, in ms where times; tests use others. */
export interface Patience {
  readonly restarts: number;
  readonly withinMs: number;
  /** Before each restart but the first of a row: what it stumbled over may pass. */
  readonly pauseMs: number;
}

const PATIENCE: Patience = { restarts: 3, withinMs: 60_000, pauseMs: 1_000 };

/**
 * Starts a part, and starts it again whenever it ends by itself, up to three times within a minute. `tell` receives which part
 * ended, how, its last lines, and what is done about it.
 * @throws what the first start throws.
 */
export async function keepRunning(
  name: string,
  start: () => Promise<RunningPart>,
  tell: (line: string) => void,
  { restarts, withinMs, pauseMs }: Patience = PATIENCE,
): Promise<KeptPart> {
  let stopping = false;
  let startedAgainAtMs: number[] = [];
  let current = Promise.resolve(await start());
  const givenUp = new Promise<never>((_resolve, reject) => {
    // once it is to stop, nobody waits for a start that then fails
    watch().catch((error: unknown) => stopping || reject(error));
  });
  givenUp.catch(() => undefined);
  return {
    givenUp,
    running: () => current,
    async stop() {
      stopping = true;
      const part = await current.catch(() => null);
      await part?.stop();
    },
  };

  async function watch(): Promise<void> {
    for (;;) {
      const part = await current;
      const words = wordsOfExit(await part.exited);
      if (stopping) return;
      tell([`${name} ${words}. It said last:`, ...part.lastLines().map((line) => `  | ${line}`)].join('\n'));
      current = startAgain(words);
    }
  }

  async function startAgain(words: string): Promise<RunningPart> {
    for (let why = words; ; ) {
      const nowMs = performance.now();
      startedAgainAtMs = startedAgainAtMs.filter((atMs) => atMs > nowMs - withinMs);
      const count = startedAgainAtMs.push(nowMs);
      if (count > restarts) {
        throw new StartError(`${name} ${why}, after ${restarts} restarts within ${withinMs / 1_000} s: Defib ends.`);
      }
      tell(`Starting ${name} again (${count} of ${restarts} within ${withinMs / 1_000} s) …`);
      if (count > 1) await sleep(pauseMs);
      if (stopping) throw new Error(`${name} is not started again, because everything stops`);
      try {
        const part = await start();
        tell(`${name} runs again.`);
        return part;
      } catch (error) {
        why = `did not start: ${firstLineOf(error)}`;
        tell(`${name} ${why}`);
      }
    }
  }
}
