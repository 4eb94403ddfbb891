import type { ShownStatus } from './health.ts';
import { type IncidentFacts, type IncidentState, incidentSentence, incidentStateOf, nextAtMsOf } from './incident.ts';
import type { OperationResult } from './operation.ts';
import type { Policy } from './policy.ts';
import { triggerInWords } from './policy-words.ts';
import { iso, withoutStop } from './sentences.ts';

/** Why a VM's health isn't known whatever is stored. */
export type UnknownReason = 'stopped-on-purpose' | 'paused' | 'no-checks' | 'not-watched' | 'cannot-tell';

/** What a VM's situation is told from. */
export interface SituationFacts {
  status: ShownStatus;
  unknownReason: UnknownReason | null;
  /** Of its checks that are not healthy, the worst first: type, reason and message. */
  reasons: readonly { reason: string; message: string | null; checkType?: string | undefined }[];
  paused: { since: string; reason: string; by: string } | null;
  consecutiveFailures: number;
  lastHealthyAtMs: number | null;
  incident: IncidentFacts | null;
  /** Of a VM that is ill: the policy that counts for it; null = none. Undefined where nobody asked. */
  policy?: Policy | null | undefined;
  nowMs: number;
}

export interface Situation {
  /** What is wrong, what Defib does about it, why it does no more, and who said so. */
  sentence: string;
  paused: { since: string; reason: string; by: string } | null;
  incident: {
    number: number;
    openedAt: string;
    state: IncidentState;
    /** Why it holds, or why it acts; null before the first decision. */
    reason: string | null;
    /** When it is decided again at the latest; null while that depends on others. */
    nextAt: string | null;
    lastAction: { action: string; attempt: number; at: string; result: OperationResult } | null;
  } | null;
  stoppedOnPurpose: boolean;
  /** Why nobody looks at it, or why looks can't tell how it is. */
  notWatched: string | null;
  cannotTell: string | null;
}

/** How a VM is, for whoever is on call. */
export function situationOf(facts: SituationFacts): Situation {
  const { paused, unknownReason, incident } = facts;
  const why = facts.reasons[0]?.message ?? null;
  return {
    sentence: sentenceOf(facts),
    paused,
    incident: incident && incidentOf(incident),
    stoppedOnPurpose: unknownReason === 'stopped-on-purpose',
    notWatched: unknownReason === 'not-watched' || unknownReason === 'no-checks' ? why : null,
    cannotTell: unknownReason === 'cannot-tell' ? why : null,
  };
}

function incidentOf(incident: IncidentFacts): Situation['incident'] {
  const { number, openedAtMs, lastStep, lastOperation } = incident;
  const state = incidentStateOf(incident);
  const nextAtMs = nextAtMsOf(incident, state);
  return {
    number,
    openedAt: iso(openedAtMs),
    state,
    reason: lastStep?.reason ?? null,
    nextAt: nextAtMs === null ? null : iso(nextAtMs),
    lastAction: lastOperation && {
      action: lastOperation.action,
      attempt: lastOperation.attempt,
      at: iso(lastOperation.intendedAtMs),
      result: lastOperation.result,
    },
  };
}

function sentenceOf(facts: SituationFacts): string {
  const { paused, unknownReason, incident } = facts;
  const what = facts.reasons[0]?.message ?? null;
  switch (unknownReason) {
    case 'paused': {
      const by = paused === null ? '' : ` by ${paused.by} since ${paused.since}: ${paused.reason}`;
      return sentences(`Paused${by}`, 'It is neither looked at nor healed until it is resumed.');
    }
    case 'stopped-on-purpose':
      return 'Stopped on purpose. It is neither looked at nor healed until it is started.';
    case 'no-checks':
      return 'It has no enabled checks, so nothing is known of it and nothing is done.';
    case 'not-watched':
    case 'cannot-tell':
      return sentences(
        what ?? 'Its health is not known',
        incident ? incidentSentence(incident, facts.nowMs) : 'Nothing is done meanwhile',
      );
    case null:
      return sentences(howItIs(facts), incident ? incidentSentence(incident, facts.nowMs) : whyNoIncident(facts));
  }
}

function howItIs({ status, reasons, lastHealthyAtMs, consecutiveFailures }: SituationFacts): string {
  const [first] = reasons;
  const check = first?.checkType === undefined ? '' : `${first.checkType}: `;
  const why = first === undefined ? '' : ` (${check}${first.message ?? first.reason})`;
  const more = reasons.length > 1 ? `, and ${reasons.length - 1} more of its checks` : '';
  switch (status) {
    case 'healthy':
      return reasons.length === 0 ? 'Healthy' : `Healthy${why}${more}`;
    case 'unknown':
      return 'Not looked at yet';
    case 'paused':
      return 'Paused';
    case 'degraded':
    case 'unhealthy': {
      const since = lastHealthyAtMs === null ? 'never seen healthy' : `last healthy at ${iso(lastHealthyAtMs)}`;
      const failures = consecutiveFailures > 0 ? `, ${consecutiveFailures} failed in a row` : '';
      return `${status === 'degraded' ? 'Degraded' : 'Unhealthy'}${why}${more}; ${since}${failures}`;
    }
  }
}

/** Why nothing is done about a VM that is ill. */
function whyNoIncident({ status, policy }: SituationFacts): string {
  if (status !== 'degraded' && status !== 'unhealthy') return '';
  if (policy === undefined) return '';
  if (policy === null) return 'No policy covers it, so people have to see to it.';
  return `Policy "${policy.name}" (${policy.action}) acts when ${triggerInWords(policy)}.`;
}

function sentences(...parts: string[]): string {
  return parts
    .filter((part) => part !== '')
    .map((part) => `${withoutStop(part)}.`)
    .join(' ');
}
