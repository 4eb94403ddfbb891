import type { Queryable } from '../../db/database.ts';
import type { HealSubject } from '../../db/heals/heal-subject.ts';
import { findAttempts, findOperationsOf } from '../../db/heals/operations.ts';
import type { CheckFact, Facts, ProviderFact } from '../../domain/facts.ts';
import { attemptsCountSince, type Policy } from '../../domain/policy.ts';
import type { WatchedVm } from '../../domain/watched.ts';
import type { Dependencies } from '../dependencies.ts';

export interface FactSources {
  vm: WatchedVm;
  subject: HealSubject;
  incident: number;
  policy: Policy | null;
  provider: ProviderFact;
  /** Decided already and not sent yet: no attempt so far. */
  unsentOperationId: string | null;
}

/** The facts as they are now, with what the database says of earlier attempts. */
export async function gatherFacts(deps: Dependencies, db: Queryable, sources: FactSources): Promise<Facts> {
  const { vm, subject, incident, policy, provider } = sources;
  const sinceMs = attemptsCountSince(policy, subject.attemptsResetAtMs, deps.now());
  const ofIncident = await findOperationsOf(db, vm.vmId, incident);
  const lastDone = ofIncident.findLast((operation) => operation.state === 'done' && operation.power !== null);
  const lastNotSent = ofIncident.findLast((operation) => operation.state === 'abandoned');
  return {
    vmId: vm.vmId,
    incident,
    deleted: vm.deleted,
    stoppedOnPurpose: vm.stoppedOnPurpose,
    startedAtMs: vm.startedAtMs,
    bootGraceMs: deps.settings.BOOT_GRACE_SECONDS * 1000,
    status: vm.health.status,
    consecutiveFailures: failuresInARow(vm),
    checks: checkFacts(vm),
    lastLookAtMs: subject.lastLookAtMs,
    attempts: await findAttempts(db, vm.vmId, sinceMs, sources.unsentOperationId),
    lastRemedyDoneAtMs: lastDone?.endedAt?.getTime() ?? null,
    lastNotSentAtMs: lastNotSent?.endedAt?.getTime() ?? null,
    provider,
    providerSupports: [...(deps.providers.kinds.get(vm.providerKind)?.actions ?? [])],
  };
}

/** As the VM's status row has it, but for checks that have begun anew since it was written. */
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
    reason: state.reason,
    message: state.message,
    lastDueAtMs: state.lastDueAtMs,
    lastCheckAtMs: state.lastCheckAtMs,
    lastHealthyAtMs: state.lastHealthyAtMs,
    provenAtMs: state.provenAtMs,
  }));
}
