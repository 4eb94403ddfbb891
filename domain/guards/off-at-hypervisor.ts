import type { Guard } from './guard.ts';

/** It is off, and nothing says that it should run: somebody may have turned it off on purpose. */
export const offAtHypervisor: Guard = {
  reason: 'off-at-hypervisor',
  objectionTo({ facts: { keepRunning }, policy, remedy }) {
    if (remedy.cause !== 'off' || keepRunning) return null;
    const asked = remedy.escalation ? policy.escalationAction : policy.action;
    if (asked === 'start') return null;
    return {
      reason: 'off-at-hypervisor',
      sentence: 'it is off, perhaps on purpose',
      wouldChange: 'keepRunning: true for the VM, a policy whose action is start, or somebody starting it',
      lookAgainInMs: 60_000,
    };
  },
};
