import { setTimeout as sleep } from 'node:timers/promises';

export interface Patience {
  /** Between two questions; 50 ms unless told. */
  readonly everyMs?: number;
  /** Two minutes unless told. */
  readonly limitMs?: number;
  /** What is thrown once the limit has passed. */
  readonly otherwise?: Error;
  /** How time passes between two questions; virtual time brings its own. */
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
