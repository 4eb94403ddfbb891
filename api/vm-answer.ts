import type { Database } from '../db/database.ts';
import type { CheckRecord, VmRecord } from '../db/fleet/find-vms.ts';
import { findApplicablePolicies } from '../db/policies/find-policies.ts';
import { type ShownStatus, toLegacyStatus } from '../domain/health.ts';
import { effectivePolicy, type Policy } from '../domain/policy.ts';
import { situationOf } from '../domain/situation.ts';
import { retryIntervalOf, timeoutOf } from '../domain/watched.ts';
import type { Caller } from './caller.ts';
import { declaredFields, toIso } from './schemas/fields.ts';
import { type statusRow, type VmAnswer, vmAnswer } from './schemas/vms.ts';
import { toProviderAnswer } from './vm-provider.ts';

type StatusRow = Pick<VmAnswer, keyof typeof statusRow>;

/** How much of a page a VM takes. */
export function weightOfVm({ checks }: VmRecord): number {
  return checks.length;
}

/** VMs as their tenant sees them. */
export async function toVmAnswers(
  { pool }: Database,
  records: readonly VmRecord[],
  caller: Caller,
  nowMs: number,
): Promise<VmAnswer[]> {
  // of those only is it asked why nothing is done
  const left = new Set(
    records.filter(({ status, incident }) => incident === null && isIll(status)).map(({ id }) => id),
  );
  const policies: ReadonlyMap<string, Policy[]> =
    left.size === 0 ? new Map() : await findApplicablePolicies(pool, [...left]);
  const policyOf = ({ id: vmId, tags }: VmRecord) =>
    left.has(vmId) ? (effectivePolicy({ vmId, tags }, policies.get(vmId) ?? [])?.policy ?? null) : undefined;
  return records.map((vm) => toVmAnswer(vm, policyOf(vm), caller, nowMs));
}

/** One VM as its tenant sees it. */
export async function toOneVmAnswer(
  database: Database,
  vm: VmRecord,
  caller: Caller,
  nowMs: number,
): Promise<VmAnswer> {
  const [answer] = await toVmAnswers(database, [vm], caller, nowMs);
  return answer as VmAnswer;
}

function isIll(status: ShownStatus): boolean {
  return status === 'degraded' || status === 'unhealthy';
}

function toVmAnswer(vm: VmRecord, policy: Policy | null | undefined, caller: Caller, nowMs: number): VmAnswer {
  const row = toStatusRow(vm, nowMs);
  return {
    ...declaredFields(vmAnswer, vm),
    provider: toProviderAnswer(vm, caller),
    status: toLegacyStatus(vm.status),
    health: vm.status,
    ...row,
    situation: situationOf({
      ...vm,
      reasons: row.reasons,
      lastHealthyAtMs: vm.lastHealthyAt?.getTime() ?? null,
      policy,
      nowMs,
    }),
    lastLookAt: toIso(vm.lastLookAt),
    stoppedOnPurpose: vm.unknownReason === 'stopped-on-purpose',
    checks: vm.checks.map(toCheckAnswer),
    announced: vm.announcedVersion >= vm.settingsVersion,
    createdAt: vm.createdAt.toISOString(),
    updatedAt: vm.updatedAt.toISOString(),
  };
}

/** What is stored of a VM's health, and why it has its status. */
export function toStatusRow(vm: VmRecord, nowMs: number): StatusRow {
  return {
    reasons: reasonsOf(vm, nowMs),
    consecutiveFailures: vm.consecutiveFailures,
    consecutiveSuccesses: vm.consecutiveSuccesses,
    lastCheckAt: toIso(vm.lastCheckAt),
    lastHealthyAt: toIso(vm.lastHealthyAt),
    lastUnhealthyAt: toIso(vm.lastUnhealthyAt),
  };
}

/**
 * A check with its state; one that was never checked is unknown. Built by hand, which is faster: a page of VMs has thousands of
 * them.
 */
export function toCheckAnswer(check: CheckRecord): VmAnswer['checks'][number] {
  return {
    id: check.id,
    checkType: check.checkType,
    name: check.name,
    target: check.target,
    intervalSeconds: check.intervalSeconds,
    retryIntervalSeconds: retryIntervalOf(check) / 1000,
    timeoutSeconds: timeoutOf(check) / 1000,
    failureThreshold: check.failureThreshold,
    successThreshold: check.successThreshold,
    staleAfterSeconds: check.staleAfterSeconds,
    options: check.options,
    enabled: check.enabled,
    proven: check.provenAt !== null,
    provenAt: check.provenAt,
    trusted: check.trusted,
    revision: check.revision,
    status: check.status ?? 'unknown',
    reason: check.reason ?? 'not-checked-yet',
    message: check.message,
    consecutiveFailures: check.consecutiveFailures ?? 0,
    consecutiveSuccesses: check.consecutiveSuccesses ?? 0,
    lastCheckAt: check.lastCheckAt,
  };
}

/** What its checks say, unless its status is unknown for another reason. */
function reasonsOf(vm: VmRecord, nowMs: number): StatusRow['reasons'] {
  const since = (at: Date | null) => (at === null ? 'yet' : `for ${Math.floor((nowMs - at.getTime()) / 1000)} s`);
  switch (vm.unknownReason) {
    case null:
      return vm.reasons;
    case 'stopped-on-purpose':
      return [{ reason: vm.unknownReason, message: 'It is stopped on purpose, and not checked until it is started.' }];
    case 'paused': {
      const why = vm.paused ? `${vm.paused.by} paused it: ${vm.paused.reason}` : 'it is paused';
      return [{ reason: vm.unknownReason, message: `It is not looked at or healed until it is resumed: ${why}.` }];
    }
    case 'no-checks':
      return [{ reason: vm.unknownReason, message: 'It has no enabled checks.' }];
    case 'not-watched': {
      const advice = `see that a worker for site "${vm.site}" runs and that its look is not paused`;
      return [{ reason: vm.unknownReason, message: `Nobody has looked at it ${since(vm.lastLookAt)}: ${advice}.` }];
    }
    case 'cannot-tell': {
      const why = vm.reasons[0] ? ` (${vm.reasons[0].reason})` : '';
      const message = `None of its checks has been conclusive ${since(vm.lastCheckAt)}${why}; their reasons follow.`;
      return [{ reason: vm.unknownReason, message }, ...vm.reasons];
    }
  }
}
