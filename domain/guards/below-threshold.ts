import { failingIn } from '../evidence.ts';
import { mustFailForMs } from '../policy.ts';
import type { Guard } from './guard.ts';

/**
 * The failures that opened the incident are no longer in a row, or do not last long enough: it may be recovering by itself, or
 * booting.
 */
export const belowThreshold: Guard = {
  reason: 'below-threshold',
  objectionTo({ facts, policy }) {
    if (failingIn(facts, policy).length > 0) return null;
    const often = facts.checks.filter(
      ({ about, consecutiveFailures }) => about === 'alive' && consecutiveFailures >= policy.triggerAfterFailures,
    );
    const [nearest] = often
      .map(({ failingForMs, intervalMs }) => ({
        forMs: failingForMs ?? 0,
        neededMs: mustFailForMs(policy, intervalMs),
      }))
      .toSorted((a, b) => a.neededMs - a.forMs - (b.neededMs - b.forMs));
    if (nearest !== undefined) {
      const needed = nearest.neededMs / 1000;
      return {
        reason: 'below-threshold',
        sentence: `its checks have failed for ${Math.floor(nearest.forMs / 1000)} s, the policy acts after ${needed} s`,
        wouldChange: `failed looks for ${needed} s, or recovery`,
        lookAgainInMs: 15_000,
      };
    }
    return {
      reason: 'below-threshold',
      sentence: `${facts.consecutiveFailures} consecutive failures, the policy acts at ${policy.triggerAfterFailures}`,
      wouldChange: `${policy.triggerAfterFailures} failures in a row, or recovery`,
      lookAgainInMs: 15_000,
    };
  },
};
