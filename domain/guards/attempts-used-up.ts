import type { Guard } from './guard.ts';

const HOUR_MS = 3_600_000;

/** The policy's attempts within its window are used up; a person is needed. */
export const attemptsUsedUp: Guard = {
  reason: 'attempts-used-up',
  object({ facts, policy, remedy }, nowMs) {
    if (remedy.escalation) return null;
    const attempts = facts.attempts.filter((attempt) => !attempt.escalation);
    const oldest = attempts.at(-policy.maxAttempts);
    if (attempts.length < policy.maxAttempts || oldest === undefined) return null;
    const freeAtMs = oldest.atMs + policy.attemptWindowHours * HOUR_MS;
    return {
      reason: 'attempts-used-up',
      sentence: `${attempts.length} of ${policy.maxAttempts} attempts within ${policy.attemptWindowHours} h; manual intervention needed`,
      wouldChange: `recovery, POST /auto-heal/reset, or the oldest attempt leaving the window at ${new Date(freeAtMs).toISOString()}`,
      lookAgainInMs: Math.min(Math.max(1_000, freeAtMs - nowMs), HOUR_MS),
    };
  },
};
