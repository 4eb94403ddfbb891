import type { Remedy } from '../../../domain/choose-remedy.ts';
import type { Case, Guard, Objection } from '../../../domain/guards/guard.ts';
import { ill, NOW, policy } from '../examples.ts';

const ORDINARY = { escalation: false, cause: 'unresponsive' } as const;
export const RESET: Remedy = { ...ORDINARY, action: 'restart', kind: 'power', power: 'reset' };
export const RESET_CRASHED: Remedy = { ...RESET, cause: 'panicked' };
export const NOTIFY: Remedy = { ...ORDINARY, action: 'notify_only', kind: 'notify' };
export const MIGRATE: Remedy = { ...ORDINARY, action: 'migrate', kind: 'other' };
export const RESUME: Remedy = { ...ORDINARY, action: 'resume', cause: 'paused', kind: 'power', power: 'resume' };
export const RESUME_STORAGE: Remedy = { ...RESUME, cause: 'storage-failed' };
export const START: Remedy = { ...ORDINARY, action: 'start', cause: 'off', kind: 'power', power: 'start' };

export const escalating = (remedy: Remedy): Remedy => ({ ...remedy, escalation: true });

/** What a guard says about resetting an ill VM, with what the case adds or changes. */
export function ask(guard: Guard, given: Partial<Case> = {}): Objection | null {
  return guard.objectionTo({ facts: ill(), policy: policy(), remedy: RESET, ...given }, NOW);
}
