import type { Guard } from './guard.ts';

/** What was not sent need not cool down, but a hypervisor that takes nothing is not tried in a tight loop. */
const NOT_SENT_PAUSE_MS = 10_000;

/** The last attempt is too recent. */
export const cooldown: Guard = {
  reason: 'cooldown',
  objectionTo({ facts, policy, remedy }, nowMs) {
    if (remedy.kind === 'notify' && remedy.escalation) return null;
    const last = facts.attempts.at(-1);
    const cooledAtMs = last === undefined ? 0 : last.atMs + policy.cooldownMinutes * 60_000;
    const pausedUntilMs = facts.lastNotSentAtMs === null ? 0 : facts.lastNotSentAtMs + NOT_SENT_PAUSE_MS;
    const freeAtMs = Math.max(cooledAtMs, pausedUntilMs);
    if (freeAtMs <= nowMs) return null;
    return {
      reason: 'cooldown',
      sentence:
        pausedUntilMs > cooledAtMs
          ? 'the last remedy could not be sent; it is tried again after a pause'
          : `the last attempt was too recent; the policy waits ${policy.cooldownMinutes} min between attempts`,
      wouldChange: `time: the next attempt may be made at ${new Date(freeAtMs).toISOString()}`,
      lookAgainInMs: freeAtMs - nowMs,
    };
  },
};
