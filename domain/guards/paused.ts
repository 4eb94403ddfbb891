import type { Guard } from './guard.ts';

/** A person paused it: nobody looks at it, and nothing is done to it. */
export const paused: Guard = {
  reason: 'paused',
  objectionTo({ facts }) {
    if (facts.paused === null) return null;
    const { by, reason } = facts.paused;
    return {
      reason: 'paused',
      sentence: `${by} paused it: ${reason}`,
      wouldChange: 'POST /resume of the VM',
      lookAgainInMs: 5 * 60_000,
    };
  },
};
