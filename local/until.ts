import { setTimeout as sleep } from 'node:timers/promises';

export interface Patience {
  /** Between two questions, ms; default 50. */
  readonly everyMs?: number;
  /** How long it may take, ms; default two minutes. */
  readonly limitMs?: number;
  /** What is thrown once the limit has passed. */
  readonly otherwise?: Error;
  /** Waits between two questions, instead of `everyMs`: for virtual time. */
  readonly pause?: () => Promise<unknown>;
}

/**
 * Asks again and again until the answer is truthy, and resolves with it.
 * @throws what `ask` throws; `otherwise`, or an Error that names the limit, once that has passed.
 */
export async function until<T>(ask: () => T | Promise<T>, patience: Patience = {}): Promise<NonNullable<T>> {
  const { everyMs = 50, limitMs = 120_000, otherwise, pause = () => sleep(everyMs) } = patience;
  const endMs = performance.now() + limitMs;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (performance.now() > endMs) throw otherwise ?? new Error(`It was not so within ${limitMs / 1000} s.`);
    await pause();
  }
}
