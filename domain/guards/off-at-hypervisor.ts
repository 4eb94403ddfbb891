import type { Guard } from './guard.ts';

/** It is off, and nobody said that it should run: whoever turned it off may have meant it. */
export const offAtHypervisor: Guard = {
  reason: 'off-at-hypervisor',
  objectionTo({ facts: { keepRunning }, policy, remedy }) {
    if (remedy.cause !== 'off' || keepRunning) return null;
    const asked = remedy.escalation ? policy.escalationAction : policy.action;
    if (asked === 'start') return null;
    return {
      reason: 'off-at-hypervisor',
      sentence: 'it is off, and it may have been meant to be',
      wouldChange: 'keepRunning: true for the VM, a policy whose action is start, or somebody starting it',
      lookAgainInMs: 60_000,
    };
  },
};
