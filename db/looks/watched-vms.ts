import type { Pool } from 'pg';
import { type CheckState, unseenCheck } from '../../domain/check-state.ts';
import type { TraitsOf } from '../../domain/check-traits.ts';
import type { HealthStatus } from '../../domain/health.ts';
import type { JsonObject } from '../../domain/json-value.ts';
import type { ProviderReference } from '../../domain/provider-reference.ts';
import type { Role } from '../../domain/roles.ts';
import type { HealthReason } from '../../domain/vm-health.ts';
import { retryIntervalOf, timeoutOf, type WatchedCheck, type WatchedVm } from '../../domain/watched.ts';
import { asMs } from '../sql-times.ts';

const SQL = `
SELECT v.id, v.tenant_id, v.name, v.address, v.site, v.host, v.provider->>'kind' AS provider_kind, v.tags,
       v.settings_version, v.watch_epoch, v.deleted_at IS NOT NULL AS deleted,
       v.stopped_on_purpose_at IS NOT NULL AS stopped, ${asMs('v.started_at')} AS started,
       v.paused_at IS NOT NULL AS paused, v.paused_reason, v.paused_by, v.keep_running, v.report_interval_seconds,
       s.status, s.reasons, s.consecutive_failures, s.consecutive_successes, s.transition_seq, s.look_seq,
       ${asMs('s.last_check_at')} AS last_check, ${asMs('s.last_healthy_at')} AS last_healthy,
       ${asMs('s.last_unhealthy_at')} AS last_unhealthy, ${asMs('a.last_heartbeat_at')} AS last_heartbeat, c.checks,
       t.check_targets
FROM vms v JOIN vm_status s ON s.vm_id = v.id LEFT JOIN vm_agents a ON a.vm_id = v.id
LEFT JOIN tenants t ON t.id = v.tenant_id
LEFT JOIN LATERAL (
  SELECT json_agg(json_build_array(c.id, c.check_type, c.name, c.target, c.interval_seconds, c.timeout_seconds,
    c.failure_threshold, c.success_threshold, c.stale_after_seconds, c.options, ${asMs('c.created_at')},
    st.status, st.consecutive_failures, st.consecutive_successes, ${asMs('st.last_due_at')}, ${asMs('st.last_check_at')},
    ${asMs('st.last_healthy_at')}, ${asMs('st.last_unhealthy_at')}, st.reason, st.message, c.series, c.trusted,
    ${asMs('st.proven_at')}, ${asMs('st.failed_due_at')}, c.aimed_by, c.retry_interval_seconds,
    ${asMs('st.failing_since')}) ORDER BY c.check_type, c.name) AS checks
  FROM check_configs c LEFT JOIN check_state st ON st.check_id = c.id WHERE c.vm_id = v.id AND c.enabled
) c ON true
WHERE v.id = ANY($1::uuid[])`;

/** Reads all that looks need to know of these VMs, deleted ones too, in one query. VMs that don't exist are left out. */
export async function findWatchedVms(
  pool: Pool,
  vmIds: readonly string[],
  traitsOf: TraitsOf,
): Promise<Map<string, WatchedVm>> {
  const { rows } = await pool.query<VmRow>({ name: 'find-watched-vms', text: SQL, values: [vmIds] });
  return new Map(rows.map((row) => [row.id, toWatchedVm(row, traitsOf)]));
}

interface VmRow {
  id: string;
  tenant_id: string;
  name: string;
  address: string | null;
  site: string;
  host: string | null;
  provider_kind: ProviderReference['kind'];
  tags: string[];
  settings_version: number;
  watch_epoch: number;
  deleted: boolean;
  stopped: boolean;
  paused: boolean;
  paused_reason: string | null;
  paused_by: string | null;
  keep_running: boolean;
  started: number | null;
  report_interval_seconds: number;
  status: HealthStatus;
  reasons: HealthReason[];
  consecutive_failures: number;
  consecutive_successes: number;
  transition_seq: number;
  look_seq: string;
  last_check: number | null;
  last_healthy: number | null;
  last_unhealthy: number | null;
  last_heartbeat: number | null;
  checks: CheckTuple[] | null;
  check_targets: string[] | null;
}

type CheckTuple = [
  id: string,
  checkType: string,
  name: string,
  target: string | null,
  intervalSeconds: number,
  timeoutSeconds: number | null,
  failureThreshold: number,
  successThreshold: number,
  staleAfterSeconds: number | null,
  options: JsonObject,
  createdAtMs: number,
  status: HealthStatus | null,
  consecutiveFailures: number,
  consecutiveSuccesses: number,
  lastDueAtMs: number | null,
  lastCheckAtMs: number | null,
  lastHealthyAtMs: number | null,
  lastUnhealthyAtMs: number | null,
  reason: string,
  message: string | null,
  series: number,
  trusted: boolean,
  provenAtMs: number | null,
  failedDueAtMs: number | null,
  aimedBy: Role,
  retryIntervalSeconds: number | null,
  failingSinceMs: number | null,
];

function toWatchedVm(row: VmRow, traitsOf: TraitsOf): WatchedVm {
  return {
    vmId: row.id,
    tenantId: row.tenant_id,
    tenantTargets: row.check_targets ?? [],
    name: row.name,
    address: row.address,
    site: row.site,
    host: row.host,
    providerKind: row.provider_kind,
    tags: row.tags,
    settingsVersion: row.settings_version,
    watchEpoch: row.watch_epoch,
    deleted: row.deleted,
    stoppedOnPurpose: row.stopped,
    paused: row.paused ? { reason: row.paused_reason ?? '', by: row.paused_by ?? '' } : null,
    keepRunning: row.keep_running,
    startedAtMs: wholeMs(row.started),
    reportIntervalMs: row.report_interval_seconds * 1000,
    lastHeartbeatAtMs: wholeMs(row.last_heartbeat),
    checks: (row.checks ?? []).map((tuple) => toWatchedCheck(tuple, traitsOf)),
    health: {
      status: row.status,
      reasons: row.reasons,
      consecutiveFailures: row.consecutive_failures,
      consecutiveSuccesses: row.consecutive_successes,
      lastCheckAtMs: wholeMs(row.last_check),
      lastHealthyAtMs: wholeMs(row.last_healthy),
      lastUnhealthyAtMs: wholeMs(row.last_unhealthy),
      transitionSeq: row.transition_seq,
    },
    lookSeq: Number(row.look_seq),
  };
}

function toWatchedCheck(tuple: CheckTuple, traitsOf: TraitsOf): WatchedCheck {
  const [checkId, checkType, name, target, intervalSeconds, timeoutSeconds, failureThreshold, successThreshold] = tuple;
  const { about, needsCorroboration } = traitsOf(checkType);
  return {
    checkId,
    checkType,
    about,
    needsCorroboration,
    name,
    target,
    intervalMs: intervalSeconds * 1000,
    retryIntervalMs: retryIntervalOf({ intervalSeconds, retryIntervalSeconds: tuple[25] }),
    timeoutMs: timeoutOf({ intervalSeconds, timeoutSeconds }),
    thresholds: { failureThreshold, successThreshold },
    staleAfterSeconds: tuple[8],
    options: tuple[9],
    createdAtMs: Math.round(tuple[10]),
    series: tuple[20],
    trusted: tuple[21],
    aimedBy: tuple[24],
    state: toCheckState(checkId, checkType, tuple),
  };
}

function toCheckState(checkId: string, checkType: string, tuple: CheckTuple): CheckState {
  const status = tuple[11];
  if (status === null) return unseenCheck(checkId, checkType);
  return {
    checkId,
    checkType,
    status,
    consecutiveFailures: tuple[12],
    consecutiveSuccesses: tuple[13],
    lastDueAtMs: wholeMs(tuple[14]),
    lastCheckAtMs: wholeMs(tuple[15]),
    lastHealthyAtMs: wholeMs(tuple[16]),
    lastUnhealthyAtMs: wholeMs(tuple[17]),
    failedDueAtMs: wholeMs(tuple[23]),
    failingSinceMs: wholeMs(tuple[26]),
    provenAtMs: wholeMs(tuple[22]),
    reason: tuple[18],
    message: tuple[19],
  };
}

/** Postgres keeps microseconds; extract() gives fractions back as floats. */
function wholeMs(value: number | null): number | null {
  return value === null ? null : Math.round(value);
}
