import type { CheckRecord, VmRecord } from '../db/fleet/find-vms.ts';
import { toLegacyStatus } from '../domain/health.ts';
import { timeoutOf } from '../domain/watched.ts';
import type { Caller } from './caller.ts';
import { toIso } from './schemas/fields.ts';
import type { VmAnswer } from './schemas/vms.ts';
import { toProviderAnswer } from './vm-provider.ts';

type Reasons = VmAnswer['reasons'];

/** A VM as its tenant sees it. */
export function toVmAnswer(vm: VmRecord, caller: Caller, nowMs: number): VmAnswer {
  const { id, name, address, externalId, tags, site, host, reportIntervalSeconds } = vm;
  const { consecutiveFailures, consecutiveSuccesses, agent } = vm;
  return {
    id,
    name,
    address,
    externalId,
    tags,
    site,
    host,
    reportIntervalSeconds,
    provider: toProviderAnswer(vm.provider, caller),
    status: toLegacyStatus(vm.status),
    health: vm.status,
    reasons: reasonsOf(vm, nowMs),
    consecutiveFailures,
    consecutiveSuccesses,
    lastCheckAt: toIso(vm.lastCheckAt),
    lastHealthyAt: toIso(vm.lastHealthyAt),
    lastUnhealthyAt: toIso(vm.lastUnhealthyAt),
    lastLookAt: toIso(vm.lastLookAt),
    stoppedOnPurpose: vm.standing === 'stopped-on-purpose',
    agent,
    checks: vm.checks.map(toCheckAnswer),
    announced: vm.announcedVersion >= vm.settingsVersion,
    createdAt: vm.createdAt.toISOString(),
    updatedAt: vm.updatedAt.toISOString(),
  };
}

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
    status: check.status ?? 'unknown',
    reason: check.reason ?? 'not-checked-yet',
    message: check.message,
    consecutiveFailures: check.consecutiveFailures ?? 0,
    consecutiveSuccesses: check.consecutiveSuccesses ?? 0,
    lastCheckAt: check.lastCheckAt,
  };
}

/** Why a VM has its status: what its checks say, unless nobody knows how it is now. */
export function reasonsOf(vm: VmRecord, nowMs: number): Reasons {
  switch (vm.standing) {
    case null:
      return vm.reasons;
    case 'stopped-on-purpose':
      return [{ reason: vm.standing, message: 'It is stopped by request, and not checked until it is started.' }];
    case 'no-checks':
      return [{ reason: vm.standing, message: 'It has no enabled checks.' }];
    case 'not-watched': {
      const since = vm.lastLookAt === null ? 'yet' : `for ${Math.floor((nowMs - vm.lastLookAt.getTime()) / 1000)} s`;
      const advice = `see that a worker for site "${vm.site}" runs and that its look is not paused`;
      return [{ reason: vm.standing, message: `Nobody has looked at it ${since}: ${advice}.` }];
    }
  }
}
