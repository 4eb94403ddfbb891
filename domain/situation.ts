import type { ShownStatus } from './health.ts';
import { MAX_HOLD_MS } from './hold.ts';
import type { OperationResult, OperationState } from './operation.ts';
import type { Policy } from './policy.ts';

/** Why a VM's health isn't known whatever is stored. */
export type UnknownReason = 'stopped-on-purpose' | 'paused' | 'no-checks' | 'not-watched' | 'cannot-tell';

/** What a heal decided last. */
export interface LastStep {
  kind: 'act' | 'hold' | 'close';
  reason: string;
  /** Of a hold: why, in words; what would change it; and after how long it is decided again. */
  sentence: string | null;
  wouldChange: string | null;
  lookAgainInMs: number | null;
  decidedAtMs: number;
}

/** The attempt at a remedy that was begun last. */
export interface LastOperation {
  action: string;
  attempt: number;
  state: OperationState;
  result: OperationResult;
  intendedAtMs: number;
  endedAtMs: number | null;
  verifyMs: number;
}

/** An incident that is open. */
export interface OpenIncidentFacts {
  number: number;
  openedAtMs: number;
  lastStep: LastStep | null;
  lastOperation: LastOperation | null;
}

/** What a VM's situation is told from. */
export interface SituationFacts {
  status: ShownStatus;
  unknownReason: UnknownReason | null;
  /** Of its checks that are not healthy, the worst first: type, reason and message. */
  reasons: readonly { reason: string; message: string | null; checkType?: string | undefined }[];
  paused: { since: string; reason: string; by: string } | null;
  consecutiveFailures: number;
  lastHealthyAtMs: number | null;
  incident: OpenIncidentFacts | null;
  /** Of a VM that is ill: the policy that counts for it; null = none. Undefined where nobody asked. */
  policy?: Policy | null | undefined;
  nowMs: number;
}

export type IncidentState = 'deciding' | 'holding' | 'acting' | 'verifying';

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

/** What is later than this is told as late. */
const LATE_MS = 60_000;

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

function incidentOf(incident: OpenIncidentFacts): Situation['incident'] {
  const { number, openedAtMs, lastStep, lastOperation } = incident;
  const state = stateOf(incident);
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

function stateOf({ lastStep, lastOperation }: OpenIncidentFacts): IncidentState {
  if (lastOperation !== null && (lastStep === null || lastOperation.intendedAtMs >= lastStep.decidedAtMs)) {
    if (lastOperation.state === 'intended' || lastOperation.state === 'sent') return 'acting';
    if (lastOperation.result === 'pending') return 'verifying';
    return 'deciding';
  }
  return lastStep?.kind === 'hold' ? 'holding' : 'deciding';
}

function nextAtMsOf({ lastStep, lastOperation }: OpenIncidentFacts, state: IncidentState): number | null {
  if (state === 'holding' && lastStep !== null) {
    return lastStep.decidedAtMs + Math.min(lastStep.lookAgainInMs ?? MAX_HOLD_MS, MAX_HOLD_MS);
  }
  if (state === 'verifying' && lastOperation?.endedAtMs != null)
    return lastOperation.endedAtMs + lastOperation.verifyMs;
  return null;
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
        incident ? healing(incident, facts.nowMs) : 'Nothing is done meanwhile',
      );
    case null:
      return sentences(howItIs(facts), incident ? healing(incident, facts.nowMs) : whyNoIncident(facts));
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

function healing(incident: OpenIncidentFacts, nowMs: number): string {
  const { number, lastStep, lastOperation } = incident;
  const which = `Incident ${number}`;
  const state = stateOf(incident);
  const nextAtMs = nextAtMsOf(incident, state);
  if (nextAtMs !== null && nextAtMs < nowMs - LATE_MS) {
    return `${which} was to be decided again at ${iso(nextAtMs)}, and was not: see that workers run and Temporal answers.`;
  }
  switch (state) {
    case 'deciding':
      return `${which} was opened, and what to do is being decided.`;
    case 'acting':
      return `${which}: ${attemptOf(lastOperation)} is being carried out.`;
    case 'verifying': {
      const until = nextAtMs === null ? '' : ` until ${iso(nextAtMs)}`;
      return `${which}: ${attemptOf(lastOperation)} was carried out, and looks show${until} whether it helped.`;
    }
    case 'holding': {
      const why = lastStep?.sentence ?? lastStep?.reason ?? 'unknown';
      const change = lastStep?.wouldChange ? ` Would change it: ${withoutStop(lastStep.wouldChange)}.` : '';
      const next = nextAtMs === null ? '' : ` Decided again by ${iso(nextAtMs)}.`;
      return `${which} holds (${lastStep?.reason}): ${withoutStop(why)}.${change}${next}`;
    }
  }
}

/** Why nothing is done about a VM that is ill. */
function whyNoIncident({ status, policy, consecutiveFailures }: SituationFacts): string {
  if (status !== 'degraded' && status !== 'unhealthy') return '';
  if (policy === undefined) return '';
  if (policy === null) return 'No policy covers it, so people have to see to it.';
  const left = policy.triggerAfterFailures - consecutiveFailures;
  if (left > 0) {
    return `Policy "${policy.name}" (${policy.action}) acts after ${policy.triggerAfterFailures} failed looks in a row of a check about being alive.`;
  }
  return `Policy "${policy.name}" (${policy.action}) covers it; its incident is about to be opened.`;
}

function attemptOf(operation: LastOperation | null): string {
  return operation === null ? 'a remedy' : `${operation.action} (attempt ${operation.attempt})`;
}

function sentences(...parts: string[]): string {
  return parts
    .filter((part) => part !== '')
    .map((part) => `${withoutStop(part)}.`)
    .join(' ');
}

function withoutStop(text: string): string {
  return text.replace(/\.$/, '');
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
