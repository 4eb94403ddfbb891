import { setTimeout as sleep } from 'node:timers/promises';
import { unavailable } from './problems.ts';

/** How long a request waits for those before it that change the same thing. */
const MAX_WAIT_MS = 10_000;
/** Other processes may change it too: then it is found and judged anew, after a pause of a random length. */
const MAX_TRIES = 20;
const MAX_PAUSE_MS = 50;

/** Who is in turn last, of each thing that is being changed. */
const lastOf = new Map<string, Promise<void>>();

/**
 * Runs attempts to change one thing one after the other, and each until nobody else has changed it in between, which it says by
 * null. No lock is held in the database, because an attempt may ask a provider far away.
 * @throws AppError `unavailable` when its turn does not come, or others keep changing it
 */
export async function inTurn<Result>(thing: string, attempt: () => Promise<Result | null>): Promise<Result> {
  const before = lastOf.get(thing) ?? Promise.resolve();
  let leave: () => void = () => undefined;
  const left = new Promise<void>((resolve) => {
    leave = resolve;
  });
  const last = before.then(() => left);
  lastOf.set(thing, last);
  void last.then(() => lastOf.get(thing) === last && lastOf.delete(thing));
  try {
    const waited = await Promise.race([before, sleep(MAX_WAIT_MS, 'too long', { ref: false })]);
    if (waited === 'too long') throw busy();
    return await untilUnchanged(attempt);
  } finally {
    leave();
  }
}

/** @throws AppError `unavailable` when others keep changing it. */
export async function untilUnchanged<Result>(attempt: () => Promise<Result | null>): Promise<Result> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const result = await attempt();
    if (result !== null) return result;
    await sleep(Math.random() * MAX_PAUSE_MS);
  }
  throw busy();
}

function busy(): Error {
  return unavailable('Others are changing this at the same time; try again in a moment.');
}
