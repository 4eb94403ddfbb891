import type { Facts } from './facts.ts';
import type { Policy, PolicyAction } from './policy.ts';
import type { PowerAction } from './power.ts';

/**
 * The finding that the remedy answers. Only `unresponsive` is found by checks; the others are said by the hypervisor and need
 * no further evidence.
 */
export type Cause = 'unresponsive' | 'paused' | 'storage-failed' | 'panicked' | 'off';

/** What would be done: to the VM's power, by notifying people, or something that Defib can't do for this VM. */
export type Remedy = { action: PolicyAction | 'resume'; escalation: boolean; cause: Cause } & (
  | { kind: 'power'; power: PowerAction }
  | { kind: 'notify' }
  | { kind: 'other' }
);

/**
 * What the policy asks for, as far as it fits the VM's state at its hypervisor. At the end of its attempts a policy
 * escalates once within the window.
 */
export function chooseRemedy(facts: Facts, policy: Policy): Remedy {
  const { maxAttempts, escalateAfterAttempts, escalationAction } = policy;
  const escalated = facts.attempts.some((attempt) => attempt.escalation);
  // until it escalates, every attempt is an ordinary one
  const due = escalateAfterAttempts !== null && facts.attempts.length >= Math.max(maxAttempts, escalateAfterAttempts);
  return due && !escalated
    ? fitToPowerState(remedyFor(escalationAction, true, facts), facts)
    : fitToPowerState(remedyFor(policy.action, false, facts), facts);
}

function remedyFor(action: PolicyAction, escalation: boolean, facts: Facts): Remedy {
  const cause: Cause = 'unresponsive';
  const power = (power: PowerAction): Remedy => ({ action, escalation, cause, kind: 'power', power });
  switch (action) {
    case 'restart':
      // a reboot lets the guest end in order, so it is preferred where the provider offers it
      return power(facts.providerSupports.includes('reboot') ? 'reboot' : 'reset');
    case 'reset':
    case 'reboot':
    case 'stop':
    case 'start':
      return power(action);
    case 'notify_only':
    case 'human':
      return { action, escalation, cause, kind: 'notify' };
    case 'migrate':
    case 'restart_service':
      return { action, escalation, cause, kind: 'other' };
  }
}

/** A VM that is paused is resumed rather than reset, one whose guest has crashed is reset, one that is off is started. */
function fitToPowerState(remedy: Remedy, { provider }: Facts): Remedy {
  if (remedy.kind !== 'power' || !provider.answered) return remedy;
  switch (provider.power) {
    case 'paused':
    case 'storage-failed':
      return { ...remedy, action: 'resume', power: 'resume', cause: provider.power };
    case 'panicked':
      // a policy that wants the VM off stops it all the same
      if (remedy.power === 'stop') return remedy;
      return { ...remedy, power: 'reset', cause: 'panicked' };
    case 'off':
      if (remedy.power === 'stop') return remedy;
      return { ...remedy, action: 'start', power: 'start', cause: 'off' };
    default:
      return remedy;
  }
}
