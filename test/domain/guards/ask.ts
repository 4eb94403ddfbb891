import type { Remedy } from '../../../domain/choose-remedy.ts';
import type { Case, Guard, Objection } from '../../../domain/guards/guard.ts';
import { ill, NOW, policy } from '../examples.ts';

export const RESET: Remedy = { action: 'restart', escalation: false, kind: 'power', power: 'reset' };
export const NOTIFY: Remedy = { action: 'notify_only', escalation: false, kind: 'notify' };
export const MIGRATE: Remedy = { action: 'migrate', escalation: false, kind: 'other' };

export const escalating = (remedy: Remedy): Remedy => ({ ...remedy, escalation: true });

/** What a guard says about resetting an ill VM, with what the case adds or changes. */
export function ask(guard: Guard, given: Partial<Case> = {}): Objection | null {
  return guard.objectionTo({ facts: ill(), policy: policy(), remedy: RESET, ...given }, NOW);
}
