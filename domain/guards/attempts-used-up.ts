import type { Guard } from './guard.ts';

const HOUR_MS = 3_600_000;

/** The policy's attempts within its window are used up; a person is needed. */
export const attemptsUsedUp: Guard = {
  reason: 'attempts-used-up',
  objectionTo({ facts, policy, remedy }, nowMs) {
    // resumes for failed storage use up no attempts: the guard `storage-failed` limits them
    if (remedy.escalation || remedy.cause === 'storage-failed') return null;
    const attempts = facts.attempts.filter((attempt) => !attempt.escalation);
    if (attempts.length < policy.maxAttempts) return null;
    // a policy of no attempts has none that could leave the window
    const oldestAtMs = attempts.at(-policy.maxAttempts)?.atMs ?? nowMs;
    const freeAtMs = oldestAtMs + policy.attemptWindowHours * HOUR_MS;
    return {
      reason: 'attempts-used-up',
      sentence: `${attempts.length} of ${policy.maxAttempts} attempts within ${policy.attemptWindowHours} h; manual intervention needed`,
      wouldChange: `recovery, POST /api/vms/${facts.vmId}/auto-heal/reset, or the oldest attempt leaving the window at ${new Date(freeAtMs).toISOString()}`,
      lookAgainInMs: Math.min(Math.max(1_000, freeAtMs - nowMs), HOUR_MS),
    };
  },
};
