import { backoffMs } from '../backoff.ts';
import type { NotSentFact } from '../facts.ts';
import type { Guard } from './guard.ts';

/** A remedy that was withdrawn because something changed is decided anew, but not in a tight loop. */
const UNWANTED_PAUSE_MS = 1_000;
const NOT_SENT_PAUSE_MS = 10_000;
const MAX_NOT_SENT_PAUSE_MS = 5 * 60_000;

/** The last attempt is too recent. */
export const cooldown: Guard = {
  reason: 'cooldown',
  objectionTo({ facts, policy, remedy }, nowMs) {
    // the guard `storage-failed` limits how often it is resumed for that
    if ((remedy.kind === 'notify' && remedy.escalation) || remedy.cause === 'storage-failed') return null;
    const last = facts.attempts.at(-1);
    const cooledAtMs = last === undefined ? 0 : last.atMs + policy.cooldownMinutes * 60_000;
    const pausedUntilMs = facts.notSent === null ? 0 : facts.notSent.lastAtMs + pauseAfter(facts.notSent);
    const freeAtMs = Math.max(cooledAtMs, pausedUntilMs);
    if (freeAtMs <= nowMs) return null;
    return {
      reason: 'cooldown',
      sentence:
        pausedUntilMs > cooledAtMs
          ? 'the last remedy was not sent; it is tried again after a pause'
          : `the last attempt was too recent; the policy waits ${policy.cooldownMinutes} min between attempts`,
      wouldChange: `time: the next attempt may be made at ${new Date(freeAtMs).toISOString()}`,
      lookAgainInMs: freeAtMs - nowMs,
    };
  },
};

function pauseAfter({ count }: NotSentFact): number {
  return count === 0 ? UNWANTED_PAUSE_MS : backoffMs(count - 1, NOT_SENT_PAUSE_MS, MAX_NOT_SENT_PAUSE_MS);
}
