import type { Facts } from './facts.ts';
import type { Policy, PolicyAction } from './policy.ts';
import type { PowerAction } from './power.ts';

/** What would be done: to the VM's power, by notifying people, or something that Defib can't do for this VM. */
export type Remedy = {
  action: PolicyAction;
  escalation: boolean;
  /** Chosen for the VM's state at its hypervisor (off, panicked …): guards that weigh the evidence of checks are not concerned. */
  byPowerState?: boolean;
} & ({ kind: 'power'; power: PowerAction } | { kind: 'notify' } | { kind: 'other' });

/** At the end of its attempts a policy escalates once within the window. */
export function chooseRemedy(facts: Facts, policy: Policy): Remedy {
  const attempts = facts.attempts.filter((attempt) => !attempt.escalation).length;
  const usedUp = attempts >= policy.maxAttempts;
  const due = policy.escalateAfterAttempts !== null && attempts >= policy.escalateAfterAttempts;
  const escalated = facts.attempts.some((attempt) => attempt.escalation);
  return usedUp && due && !escalated
    ? remedyFor(policy.escalationAction, true, facts)
    : remedyFor(policy.action, false, facts);
}

function remedyFor(action: PolicyAction, escalation: boolean, facts: Facts): Remedy {
  const power = (power: PowerAction): Remedy => ({ action, escalation, kind: 'power', power });
  switch (action) {
    case 'restart':
      // the gentlest that works: where a provider offers a reboot, it speaks to the guest
      return power(facts.providerSupports.includes('reboot') ? 'reboot' : 'reset');
    case 'reset':
    case 'reboot':
    case 'stop':
    case 'start':
      return power(action);
    case 'notify_only':
    case 'human':
      return { action, escalation, kind: 'notify' };
    case 'migrate':
    case 'restart_service':
      return { action, escalation, kind: 'other' };
  }
}
