import type { Guard } from './guard.ts';

/** Its end is news only where a look saw the pause: a slow one may have begun before it and ended after it. */
export const PAUSED_ASK_AGAIN_MS = 60_000;

/** A person paused it: nobody looks at it, and nothing is done to it. */
export const paused: Guard = {
  reason: 'paused',
  objectionTo({ facts }) {
    if (facts.paused === null) return null;
    const { by, reason } = facts.paused;
    return {
      reason: 'paused',
      sentence: `${by} paused it: ${reason}`,
      wouldChange: `the end of the pause: POST /api/vms/${facts.vmId}/resume`,
      lookAgainInMs: PAUSED_ASK_AGAIN_MS,
    };
  },
};
