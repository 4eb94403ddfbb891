import type { Guard } from './guard.ts';

/** A VM stopped by request stays stopped. */
export const stoppedOnPurpose: Guard = {
  reason: 'stopped-on-purpose',
  object({ facts }) {
    if (!facts.stoppedOnPurpose) return null;
    return {
      reason: 'stopped-on-purpose',
      sentence: 'it was stopped by request',
      wouldChange: 'starting the VM',
      lookAgainInMs: 60_000,
    };
  },
};
