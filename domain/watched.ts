import type { CheckState, Thresholds } from './check-state.ts';
import type { CheckTraits } from './check-traits.ts';
import type { JsonObject } from './json-value.ts';
import type { ProviderReference } from './provider-reference.ts';
import type { Role } from './roles.ts';
import type { VmHealth } from './vm-health.ts';

/** An enabled check with its settings resolved and its state as stored. */
export interface WatchedCheck extends CheckTraits {
  checkId: string;
  checkType: string;
  /** '' for the check that is addressed by its type alone. */
  name: string;
  target: string | null;
  intervalMs: number;
  /** The pace while it is not healthy; never longer than the interval. */
  retryIntervalMs: number;
  timeoutMs: number;
  thresholds: Thresholds;
  staleAfterSeconds: number | null;
  options: JsonObject;
  createdAtMs: number;
  /** Results of another series are dropped: the check began anew since. */
  series: number;
  /** Whether an administrator made its failures count as evidence although it is not proven. */
  trusted: boolean;
  /** Who set its type, target and options, or the address that they are used with, last. */
  aimedBy: Role;
  state: CheckState;
}

/** All that a look needs to know of a VM, read at once. */
export interface WatchedVm {
  vmId: string;
  tenantId: string;
  /** CIDRs and addresses that the tenant's checks may reach; none = its VMs' own addresses. */
  tenantTargets: string[];
  name: string;
  address: string | null;
  site: string;
  host: string | null;
  providerKind: ProviderReference['kind'];
  tags: string[];
  settingsVersion: number;
  watchEpoch: number;
  deleted: boolean;
  stoppedOnPurpose: boolean;
  /** By a person: nobody looks at it or heals it. */
  paused: { reason: string; by: string } | null;
  /** Whether it is to be started when it is off and nobody stopped it on purpose. */
  keepRunning: boolean;
  /** When it was last started on purpose, by a person or a heal; null = never. */
  startedAtMs: number | null;
  reportIntervalMs: number;
  lastHeartbeatAtMs: number | null;
  checks: WatchedCheck[];
  health: VmHealth;
  /** Compared and swapped by every look that is stored. */
  lookSeq: number;
}

/** The pace of a check that is not healthy, in ms: its own, or its interval. */
export function retryIntervalOf(check: {
  intervalSeconds: number;
  retryIntervalSeconds?: number | null | undefined;
}): number {
  return Math.min(check.retryIntervalSeconds ?? check.intervalSeconds, check.intervalSeconds) * 1000;
}

/** Of a check that sets none and has no shorter interval. */
export const DEFAULT_TIMEOUT_SECONDS = 10;

/** A check's timeout in ms: its own, else 10 s or the interval where that is shorter. */
export function timeoutOf(check: { intervalSeconds: number; timeoutSeconds?: number | null | undefined }): number {
  return (check.timeoutSeconds ?? Math.min(DEFAULT_TIMEOUT_SECONDS, check.intervalSeconds)) * 1000;
}

/** In how many seconds a check has answered once at the latest: its interval and timeout. */
export function secondsToAnswer(check: Parameters<typeof timeoutOf>[0]): number {
  return check.intervalSeconds + timeoutOf(check) / 1000;
}
