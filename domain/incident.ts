import { remedyInWords } from './heal-ending.ts';
import { MAX_HOLD_MS } from './hold.ts';
import type { OperationResult, OperationState } from './operation.ts';
import type { CloseReason } from './remedy.ts';
import { iso, namesPastTime, withoutStop } from './sentences.ts';

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

/** What is told of an incident. */
export interface IncidentFacts {
  number: number;
  openedAtMs: number;
  /** Absent or null = it is open. */
  closedAtMs?: number | null;
  /** Why it was closed; null = it is open. */
  outcome?: string | null;
  lastStep: LastStep | null;
  lastOperation: LastOperation | null;
}

export type IncidentState = 'deciding' | 'holding' | 'acting' | 'verifying';

/** What is later than this is told as late. */
const LATE_MS = 60_000;
/** To decide, or to carry a remedy out, takes no longer, also where a hypervisor has to be asked again and again. */
const STEP_MS = 2 * 60_000;

/** What is being done about an open incident. */
export function incidentStateOf({ lastStep, lastOperation }: IncidentFacts): IncidentState {
  if (lastOperation !== null && (lastStep === null || lastOperation.intendedAtMs >= lastStep.decidedAtMs)) {
    if (lastOperation.state === 'intended' || lastOperation.state === 'sent') return 'acting';
    if (lastOperation.result === 'pending') return 'verifying';
    return 'deciding';
  }
  return lastStep?.kind === 'hold' ? 'holding' : 'deciding';
}

/** When it is decided again, or a remedy is judged, at the latest; null while that depends on others. */
export function nextAtMsOf({ lastStep, lastOperation }: IncidentFacts, state: IncidentState): number | null {
  if (state === 'holding' && lastStep !== null) {
    return lastStep.decidedAtMs + Math.min(lastStep.lookAgainInMs ?? MAX_HOLD_MS, MAX_HOLD_MS);
  }
  if (state === 'verifying' && lastOperation?.endedAtMs != null)
    return lastOperation.endedAtMs + lastOperation.verifyMs;
  return null;
}

/** What is done about an incident and why no more is; of a closed one, how it ended. */
export function incidentSentence(incident: IncidentFacts, nowMs: number): string {
  const { number, lastStep, lastOperation, closedAtMs } = incident;
  const which = `Incident ${number}`;
  if (closedAtMs != null) return `${which} was closed ${closing(incident, closedAtMs)}.`;
  const state = incidentStateOf(incident);
  const nextAtMs = nextAtMsOf(incident, state);
  const isLate = nextAtMs !== null && nextAtMs < nowMs - LATE_MS;
  if (isLate && state === 'verifying') {
    // a pause ends the window, and its end opens another one: neither is stored
    return `${which}: ${attemptOf(lastOperation)} was carried out, and by ${iso(nextAtMs)} looks were to show whether it helped. They did not: the VM was paused meanwhile, or else see that workers run and Temporal answers.`;
  }
  if (isLate) {
    return `${which} was to be decided again at ${iso(nextAtMs)}, and was not: see that workers run and Temporal answers.`;
  }
  const begunAtMs = stepBegunAtMs(incident, state);
  if (begunAtMs !== null && begunAtMs < nowMs - STEP_MS) {
    return `${which} has not gone on since ${iso(begunAtMs)}: see that workers run and Temporal answers.`;
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
      const wouldChange = currentWouldChange(incident, nowMs);
      const change = wouldChange === null ? '' : ` Would change it: ${withoutStop(wouldChange)}.`;
      const next = nextAtMs === null ? '' : ` ${whenAgain(nextAtMs, nowMs)}`;
      return `${which} holds (${lastStep?.reason}): ${withoutStop(why)}.${change}${next}`;
    }
  }
}

/** Since when it is decided or acted on, which takes seconds, at the latest; null while it waits for a known time. */
function stepBegunAtMs({ openedAtMs, lastStep, lastOperation }: IncidentFacts, state: IncidentState): number | null {
  if (state === 'holding' || state === 'verifying') return null;
  if (state === 'acting') return lastOperation?.intendedAtMs ?? null;
  const judgedAtMs = lastOperation === null ? 0 : (lastOperation.endedAtMs ?? 0) + lastOperation.verifyMs;
  return Math.max(openedAtMs, lastStep?.decidedAtMs ?? 0, judgedAtMs);
}

function whenAgain(nextAtMs: number, nowMs: number): string {
  return nextAtMs <= nowMs ? 'It is being decided again.' : `Decided again by ${iso(nextAtMs)}.`;
}

/** The guard whose objection counts now; null = none objects, or nothing is decided any more. */
export function decidingGuardOf(incident: IncidentFacts): string | null {
  if (incident.closedAtMs != null || incidentStateOf(incident) !== 'holding') return null;
  return incident.lastStep?.reason ?? null;
}

/** What would change its last decision; null where nothing would, or where it names a time that has passed. */
export function currentWouldChange(incident: IncidentFacts, nowMs: number): string | null {
  const wouldChange = incident.lastStep?.wouldChange ?? null;
  if (decidingGuardOf(incident) === null || wouldChange === null || namesPastTime(wouldChange, nowMs)) return null;
  return wouldChange;
}

const OUTCOMES: Record<CloseReason | 'heal-lost', string> = {
  recovered: 'the VM has recovered',
  'vm-deleted': 'the VM was deleted',
  'stopped-on-purpose': 'the VM was stopped on purpose',
  'no-policy': 'no policy covers the VM any more',
  'heal-lost': 'its heal was lost',
  'no-checks': 'the VM has no check about being alive any more',
};

function closing({ openedAtMs, outcome, lastOperation }: IncidentFacts, closedAtMs: number): string {
  const seconds = Math.max(0, Math.round((closedAtMs - openedAtMs) / 1000));
  const why =
    outcome == null ? 'for a reason that is not known' : (OUTCOMES[outcome as keyof typeof OUTCOMES] ?? outcome);
  const tried =
    lastOperation === null ? 'nothing was done' : `${attemptOf(lastOperation)} ${operationEnding(lastOperation)}`;
  return `at ${iso(closedAtMs)}, after ${seconds} s: ${why}; ${tried}`;
}

/** One that no look judges, such as a notification of people, succeeds by being carried out. */
function operationEnding({ result, verifyMs }: LastOperation): string {
  return result === 'success' && verifyMs === 0 ? 'was carried out' : ENDINGS[result];
}

const ENDINGS: Record<OperationResult, string> = {
  success: 'helped',
  failed: 'did not help',
  skipped: 'was not carried out',
  pending: 'was not judged',
};

function attemptOf(operation: LastOperation | null): string {
  return operation === null ? 'a remedy' : remedyInWords({ what: operation.action, attempt: operation.attempt });
}
