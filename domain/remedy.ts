import type { Facts } from './facts.ts';
import { actionUnsupported } from './guards/action-unsupported.ts';
import { attemptsUsedUp } from './guards/attempts-used-up.ts';
import { belowThreshold } from './guards/below-threshold.ts';
import { cooldown } from './guards/cooldown.ts';
import { failuresOld } from './guards/failures-old.ts';
import type { Case, Guard, Objection } from './guards/guard.ts';
import { notWatched } from './guards/not-watched.ts';
import { providerUnreachable } from './guards/provider-unreachable.ts';
import { silenceAlone } from './guards/silence-alone.ts';
import { type Policy, type PolicyAction, triggerReason } from './policy.ts';
import type { PowerAction } from './power.ts';
import { hasRecovered } from './recovery.ts';

/** What would be done: to the VM's power, by telling people, or something no part of Defib can do for this VM. */
export type Remedy = { action: PolicyAction; escalation: boolean } & (
  | { kind: 'power'; power: PowerAction }
  | { kind: 'tell' }
  | { kind: 'other' }
);

/** Why a heal is over. A VM stopped by request stays stopped; started and still ill, it opens a new incident. */
export type StopReason = 'vm-deleted' | 'stopped-on-purpose' | 'recovered' | 'no-policy';

export type Decision =
  | { kind: 'act'; remedy: Remedy; reason: string; verifyMs: number }
  | ({ kind: 'hold' } & Objection)
  | { kind: 'stop'; reason: StopReason };

/** What each guard answered, in order: null = no objection. Told by "why not?". */
export type GuardAnswer = { guard: string; objection: string | null };

export interface Decided {
  decision: Decision;
  guards: GuardAnswer[];
}

/** In this order; the first objection is the decision. */
export const GUARDS: readonly Guard[] = [
  notWatched,
  belowThreshold,
  silenceAlone,
  failuresOld,
  attemptsUsedUp,
  cooldown,
  actionUnsupported,
  providerUnreachable,
];

/** What to do about an ill VM. Pure; the first guard that objects wins, and every guard's answer is kept. */
export function decideRemedy(facts: Facts, policy: Policy | null, nowMs: number): Decided {
  if (facts.deleted) return stop('vm-deleted');
  if (facts.stoppedOnPurpose) return stop('stopped-on-purpose');
  if (hasRecovered(facts)) return stop('recovered');
  if (policy === null) return stop('no-policy');
  const remedy = chooseRemedy(facts, policy);
  const asked: Case = { facts, policy, remedy };
  const answers = GUARDS.map((guard) => ({ guard, objection: guard.object(asked, nowMs) }));
  const guards = answers.map(({ guard, objection }) => ({
    guard: guard.reason,
    objection: objection?.sentence ?? null,
  }));
  const first = answers.find((answer) => answer.objection !== null)?.objection;
  if (first) return { decision: { kind: 'hold', ...first }, guards };
  const reason = remedy.escalation ? 'Escalation after max attempts' : triggerReason(facts.consecutiveFailures);
  const verifyMs = remedy.kind === 'power' && remedy.power !== 'stop' ? policy.verifySeconds * 1000 : 0;
  return { decision: { kind: 'act', remedy, reason, verifyMs }, guards };
}

/** At the end of its attempts a policy escalates once within the window, spec C "Escalation". */
function chooseRemedy(facts: Facts, policy: Policy): Remedy {
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
      return { action, escalation, kind: 'tell' };
    case 'migrate':
    case 'restart_service':
      return { action, escalation, kind: 'other' };
  }
}

function stop(reason: StopReason): Decided {
  return { decision: { kind: 'stop', reason }, guards: [] };
}
