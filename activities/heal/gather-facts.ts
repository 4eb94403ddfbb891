import type { Queryable } from '../../db/database.ts';
import type { HealSubject } from '../../db/heals/heal-subject.ts';
import { findAttempts, findLastRemedyDone, findOperationsOf, type OperationRow } from '../../db/heals/operations.ts';
import { failingForMs } from '../../domain/check-state.ts';
import type { CheckFact, Facts, NotSentFact, ProviderFact } from '../../domain/facts.ts';
import { attemptsCountSince, type Policy } from '../../domain/policy.ts';
import type { PowerReading } from '../../domain/power.ts';
import { readPower } from '../../domain/power-reading.ts';
import type { WatchedVm } from '../../domain/watched.ts';
import type { Dependencies } from '../dependencies.ts';

export interface FactSources {
  vm: WatchedVm;
  subject: HealSubject;
  incident: number;
  policy: Policy | null;
  provider: ProviderFact;
  /** The reading before this one. */
  lastReading: PowerReading | null;
  /** Decided and not sent yet, so it does not count as an attempt. */
  unsentOperationId: string | null;
}

/** The facts as they are now, with what the database says of earlier attempts. */
export async function gatherFacts(deps: Dependencies, db: Queryable, sources: FactSources): Promise<Facts> {
  const { vm, subject, incident, policy, provider, lastReading, unsentOperationId } = sources;
  const nowMs = deps.now();
  const sinceMs = attemptsCountSince(policy, subject.attemptsResetAtMs, nowMs);
  const earlier = (await findOperationsOf(db, vm.vmId, incident)).filter(({ id }) => id !== unsentOperationId);
  const lastRemedyDoneAtMs = await findLastRemedyDone(db, vm.vmId);
  return {
    vmId: vm.vmId,
    incident,
    deleted: vm.deleted,
    stoppedOnPurpose: vm.stoppedOnPurpose,
    paused: vm.paused,
    keepRunning: vm.keepRunning,
    startedAtMs: vm.startedAtMs,
    bootGraceMs: deps.settings.BOOT_GRACE_SECONDS * 1000,
    status: vm.health.status,
    consecutiveFailures: failuresInARow(vm),
    checks: checkFacts(vm),
    lastLookAtMs: subject.lastLookAtMs,
    attempts: await findAttempts(db, vm.vmId, sinceMs, unsentOperationId),
    lastRemedyDoneAtMs,
    notSent: notSentOf(earlier, sinceMs),
    resumesInVain: resumesInVainOf(earlier),
    provider,
    powerReading: readPower(lastReading, { fact: provider, atMs: nowMs, lastRemedyDoneAtMs }),
    pausedGraceMs: deps.settings.PAUSED_GRACE_SECONDS * 1000,
    providerSupports: [...(deps.providers.kinds.get(vm.providerKind)?.actions ?? [])],
    settingsVersion: vm.settingsVersion,
    policyRevision: subject.policyRevision,
    gatheredAtMs: subject.nowMs,
  };
}

/** What decisions need to know of an operation that came before. */
type EarlierOperation = Pick<OperationRow, 'state' | 'result' | 'detail' | 'intendedAt' | 'endedAt'> & {
  cause: string;
};

/** The tries in a row, up to the last of these operations, of which it is known that nothing was sent. */
export function notSentOf(earlier: readonly EarlierOperation[], sinceMs: number): NotSentFact | null {
  const inARow = lastInARow(
    earlier,
    ({ state, intendedAt }) => state === 'abandoned' && intendedAt.getTime() > sinceMs,
  );
  const last = inARow.at(-1);
  if (!last?.endedAt) return null;
  const failed = inARow.filter(({ result }) => result === 'failed');
  return { count: failed.length, lastAtMs: last.endedAt.getTime(), lastDetail: last.detail ?? '' };
}

/** The resumes in a row, up to the last of these operations, that were to end a failure of storage. */
export function resumesInVainOf(earlier: readonly EarlierOperation[]): Facts['resumesInVain'] {
  const inARow = lastInARow(earlier, ({ cause }) => cause === 'storage-failed');
  const last = inARow.at(-1);
  return last ? { count: inARow.length, lastAtMs: (last.endedAt ?? last.intendedAt).getTime() } : null;
}

/** The operations since the last one for which `isSo` is false, oldest first. */
function lastInARow(
  operations: readonly EarlierOperation[],
  isSo: (operation: EarlierOperation) => boolean,
): EarlierOperation[] {
  return operations.slice(operations.findLastIndex((operation) => !isSo(operation)) + 1);
}

/** Of the check that has failed most often in a row. The VM's status row may still count failures of checks that began anew. */
function failuresInARow({ checks }: WatchedVm): number {
  const alive = checks.filter(({ about }) => about === 'alive');
  return Math.max(0, ...alive.map(({ state }) => state.consecutiveFailures));
}

/** What decisions need to know of a VM's checks. */
export function checkFacts(vm: WatchedVm): CheckFact[] {
  return vm.checks.map(({ state, ...check }) => ({
    checkId: check.checkId,
    checkType: check.checkType,
    name: check.name,
    about: check.about,
    needsCorroboration: check.needsCorroboration,
    trusted: check.trusted,
    intervalMs: check.intervalMs,
    timeoutMs: check.timeoutMs,
    status: state.status,
    consecutiveFailures: state.consecutiveFailures,
    failingForMs: failingForMs(state),
    reason: state.reason,
    message: state.message,
    lastDueAtMs: state.lastDueAtMs,
    lastCheckAtMs: state.lastCheckAtMs,
    lastHealthyAtMs: state.lastHealthyAtMs,
    provenAtMs: state.provenAtMs,
  }));
}
