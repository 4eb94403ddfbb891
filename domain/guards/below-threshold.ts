import { triggers } from '../policy.ts';
import type { Guard } from './guard.ts';

/** The failures that opened the incident are no longer in a row: it may be recovering by itself. */
export const belowThreshold: Guard = {
  reason: 'below-threshold',
  objectionTo({ facts, policy }) {
    if (triggers(policy, facts.consecutiveFailures)) return null;
    return {
      reason: 'below-threshold',
      sentence: `${facts.consecutiveFailures} consecutive failures, the policy acts at ${policy.triggerAfterFailures}`,
      wouldChange: `${policy.triggerAfterFailures} failures in a row, or recovery`,
      lookAgainInMs: 15_000,
    };
  },
};
