import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { inTurn, untilUnchanged } from '../../api/in-turn.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** An attempt that goes on until it is told what it comes to. */
function attempt() {
  let end: (result: string) => void = () => undefined;
  const ends = new Promise<string>((resolve) => {
    end = resolve;
  });
  return { run: vi.fn(() => ends), end: (result: string) => end(result) };
}

const settle = () => vi.advanceTimersByTimeAsync(0);

describe('changes of one thing', () => {
  it('come one after the other, also after one that fails; those of another thing do not wait', async () => {
    const [first, second, other] = [attempt(), attempt(), attempt()];
    const failing = inTurn('vm', async () => {
      await first.run();
      throw new Error('refused');
    });
    const after = inTurn('vm', second.run);
    const elsewhere = inTurn('other', other.run);
    await settle();
    expect([second.run, other.run].map((run) => run.mock.calls.length)).toEqual([0, 1]);
    first.end('done');
    await expect(failing).rejects.toThrow('refused');
    await settle();
    second.end('second');
    other.end('other');
    expect([await after, await elsewhere]).toEqual(['second', 'other']);
  });

  it('wait ten seconds for their turn at most, and let those after them have it', async () => {
    const [first, late, last] = [attempt(), attempt(), attempt()];
    void inTurn('vm', first.run);
    const refused = expect(inTurn('vm', late.run)).rejects.toMatchObject({ code: 'unavailable' });
    await vi.advanceTimersByTimeAsync(5_000);
    const third = inTurn('vm', last.run);
    await vi.advanceTimersByTimeAsync(5_000);
    await refused;
    first.end('first');
    await settle();
    last.end('last');
    expect(await third).toBe('last');
    expect(late.run).not.toHaveBeenCalled();
  });

  it('are found anew while others change it in between, but not for ever', async () => {
    let tries = 0;
    const third = untilUnchanged(async () => (++tries < 3 ? null : 'done'));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await third).toBe('done');
    const never = vi.fn(async () => null);
    const refused = expect(untilUnchanged(never)).rejects.toMatchObject({ code: 'unavailable' });
    await vi.advanceTimersByTimeAsync(10_000);
    await refused;
    expect(never).toHaveBeenCalledTimes(20);
  });
});
