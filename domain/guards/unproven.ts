import { failingIn, isProven, restsOnChecks } from '../evidence.ts';
import type { Guard } from './guard.ts';

/** A check that has never succeeded may have a wrong target, so its failures say nothing about the VM. */
export const unproven: Guard = {
  reason: 'unproven',
  objectionTo({ facts, policy, remedy }) {
    if (!restsOnChecks(remedy)) return null;
    const failing = failingIn(facts, policy);
    const doubtful = failing.find((check) => !isProven(check));
    // other evidence is enough for the remedy
    if (!doubtful || failing.some((check) => isProven(check) && !check.needsCorroboration)) return null;
    const named = doubtful.name === '' ? '' : ` named "${doubtful.name}"`;
    return {
      reason: 'unproven',
      sentence: `its "${doubtful.checkType}" check${named} has never succeeded: is its target right?`,
      wouldChange: 'a healthy result of that check, or an administrator who sets it to trusted',
      lookAgainInMs: 15_000,
    };
  },
};
