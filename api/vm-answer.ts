import type { CheckRecord, VmRecord } from '../db/fleet/find-vms.ts';
import { toLegacyStatus } from '../domain/health.ts';
import { timeoutOf } from '../domain/watched.ts';
import type { Caller } from './caller.ts';
import { declaredFields, toIso } from './schemas/fields.ts';
import { type statusRow, type VmAnswer, vmAnswer } from './schemas/vms.ts';
import { toProviderAnswer } from './vm-provider.ts';

type StatusRow = Pick<VmAnswer, keyof typeof statusRow>;

/** How much of a page a VM takes. */
export function weightOfVm({ checks }: VmRecord): number {
  return checks.length;
}

/** A VM as its tenant sees it. */
export function toVmAnswer(vm: VmRecord, caller: Caller, nowMs: number): VmAnswer {
  return {
    ...declaredFields(vmAnswer, vm),
    provider: toProviderAnswer(vm, caller),
    status: toLegacyStatus(vm.status),
    health: vm.status,
    ...toStatusRow(vm, nowMs),
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
