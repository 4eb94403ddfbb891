import { chooseRemedy, type Remedy } from './choose-remedy.ts';
import { evidenceIn, restsOnChecks } from './evidence.ts';
import type { Facts } from './facts.ts';
import { actionUnsupported } from './guards/action-unsupported.ts';
import { attemptsUsedUp } from './guards/attempts-used-up.ts';
import { belowThreshold } from './guards/below-threshold.ts';
import { bootGrace } from './guards/boot-grace.ts';
import { cooldown } from './guards/cooldown.ts';
import { crashDump } from './guards/crash-dump.ts';
import { failuresOld } from './guards/failures-old.ts';
import type { Case, Guard, Objection } from './guards/guard.ts';
import { inTransit } from './guards/in-transit.ts';
import { notSendable } from './guards/not-sendable.ts';
import { notWatched } from './guards/not-watched.ts';
import { offAtHypervisor } from './guards/off-at-hypervisor.ts';
import { paused } from './guards/paused.ts';
import { pausedAtHypervisor } from './guards/paused-at-hypervisor.ts';
import { providerUnreachable } from './guards/provider-unreachable.ts';
import { runsAgain } from './guards/runs-again.ts';
import { silenceAlone } from './guards/silence-alone.ts';
import { storageFailed } from './guards/storage-failed.ts';
import { unproven } from './guards/unproven.ts';
import { type Policy, triggerReason } from './policy.ts';
import { hasRecovered } from './recovery.ts';

/** Why a heal is over. A VM that is stopped on purpose is healed in a new incident if it is started and still ill. */
export type CloseReason = 'vm-deleted' | 'stopped-on-purpose' | 'recovered' | 'no-policy' | 'no-checks';

export type Decision =
  | { kind: 'act'; remedy: Remedy; reason: string; verifyMs: number }
  | ({ kind: 'hold' } & Objection)
  | { kind: 'close'; reason: CloseReason };

/** What each guard answered, in order: null = no objection. Answers "why not?". */
export type GuardAnswer = { guard: string; objection: string | null };

export interface Decided {
  decision: Decision;
  guards: GuardAnswer[];
}

/** In this order; the first objection is the decision. */
export const GUARDS: readonly Guard[] = [
  paused,
  notWatched,
  unproven,
  bootGrace,
  belowThreshold,
  inTransit,
  crashDump,
  pausedAtHypervisor,
  storageFailed,
  offAtHypervisor,
  runsAgain,
  silenceAlone,
  failuresOld,
  attemptsUsedUp,
  notSendable,
  cooldown,
  actionUnsupported,
  providerUnreachable,
];

/** What to do about an ill VM. Pure; the first guard that objects wins, and every guard's answer is kept. */
export function decideRemedy(facts: Facts, policy: Policy | null, nowMs: number): Decided {
  if (facts.deleted) return close('vm-deleted');
  if (facts.stoppedOnPurpose) return close('stopped-on-purpose');
  if (hasRecovered(facts)) return close('recovered');
  if (policy === null) return close('no-policy');
  // nothing can say any more that it is ill, or that it has recovered
  if (!facts.checks.some(({ about }) => about === 'alive')) return close('no-checks');
  const remedy = chooseRemedy(facts, policy);
  const asked: Case = { facts, policy, remedy };
  const answers = GUARDS.map((guard) => ({ guard, objection: guard.objectionTo(asked, nowMs) }));
  const guards = answers.map(({ guard, objection }) => ({
    guard: guard.reason,
    objection: objection?.sentence ?? null,
  }));
  const first = answers.find((answer) => answer.objection !== null)?.objection;
  if (first) return { decision: { kind: 'hold', ...first }, guards };
  const reason = remedy.escalation ? 'Escalation after max attempts' : reasonFor(asked);
  const verifyMs = remedy.kind === 'power' && remedy.power !== 'stop' ? policy.verifySeconds * 1000 : 0;
  return { decision: { kind: 'act', remedy, reason, verifyMs }, guards };
}

/** What was found, as heal events give it. */
function reasonFor(asked: Case): string {
  switch (asked.remedy.cause) {
    case 'unresponsive':
      return triggerReason(failuresBehind(asked));
    case 'paused':
      return 'Paused at its hypervisor';
    case 'storage-failed':
      return 'Stopped by its hypervisor when its storage failed';
    case 'panicked':
      return 'Its guest has crashed, says its hypervisor';
    case 'off':
      return 'Off at its hypervisor, and meant to run';
  }
}

/** The most failures in a row of a check that is evidence for this remedy. */
function failuresBehind({ facts, policy, remedy }: Case): number {
  if (!restsOnChecks(remedy)) return facts.consecutiveFailures;
  return Math.max(...evidenceIn(facts, policy).map((check) => check.consecutiveFailures));
}

function close(reason: CloseReason): Decided {
  return { decision: { kind: 'close', reason }, guards: [] };
}
