import type { Pool } from 'pg';
import type { HealthStatus, ShownStatus } from '../../domain/health.ts';
import { isUuid } from '../../domain/ids.ts';
import type { IncidentFacts } from '../../domain/incident.ts';
import type { JsonObject, JsonValue } from '../../domain/json-value.ts';
import type { ProviderReference } from '../../domain/provider-reference.ts';
import type { Role } from '../../domain/roles.ts';
import type { UnknownReason } from '../../domain/situation.ts';
import type { HealthReason } from '../../domain/vm-health.ts';
import { LAST_OPERATION, LAST_STEP } from '../heals/incident-columns.ts';
import { asIso, asMs } from '../sql-times.ts';
import { effectiveStatus, unknownReason, WATCH_OF_EACH } from './unknown-reason.ts';
import { holding, vmMatches } from './vm-matches.ts';

/** A VM as the API answers it: settings, checks, health as it stands now and its agent's last report. */
export interface VmRecord {
  id: string;
  tenantId: string;
  name: string;
  address: string | null;
  externalId: string | null;
  site: string;
  host: string | null;
  tags: string[];
  provider: ProviderReference;
  /** The name of the stored instance that it is at; null = what the environment of its site sets up. */
  providerInstance: string | null;
  reportIntervalSeconds: number;
  settingsVersion: number;
  /** Counts the changes of its own settings by people. */
  revision: number;
  announcedVersion: number;
  attemptsResetAt: Date | null;
  paused: { since: string; reason: string; by: string } | null;
  keepRunning: boolean;
  createdAt: Date;
  updatedAt: Date;
  status: ShownStatus;
  /** Why the status isn't the stored one. */
  unknownReason: UnknownReason | null;
  reasons: HealthReason[];
  consecutiveFailures: number;
  consecutiveSuccesses: number;
  lastCheckAt: Date | null;
  lastHealthyAt: Date | null;
  lastUnhealthyAt: Date | null;
  lastLookAt: Date | null;
  agent: AgentRecord | null;
  /** The one that is open. */
  incident: IncidentFacts | null;
  checks: CheckRecord[];
}

export interface AgentRecord {
  lastReportAt: string;
  agentVersion: string | null;
  cpu: number | null;
  ram: number | null;
  disk: number | null;
  uptime: number | null;
}

export interface CheckRecord {
  id: string;
  checkType: string;
  name: string;
  target: string | null;
  intervalSeconds: number;
  retryIntervalSeconds: number | null;
  timeoutSeconds: number | null;
  failureThreshold: number;
  successThreshold: number;
  staleAfterSeconds: number | null;
  options: JsonObject;
  enabled: boolean;
  trusted: boolean;
  /** Who set its type, target and options, or the address that they are used with, last. */
  aimedBy: Role;
  /** Counts its changes by people. */
  revision: number;
  provenAt: string | null;
  status: HealthStatus | null;
  reason: string | null;
  message: string | null;
  consecutiveFailures: number | null;
  consecutiveSuccesses: number | null;
  lastCheckAt: string | null;
}

/** Sent as arrays in this order: to name the fields of every check took a fifth of a page's time. */
const CHECK_COLUMNS = {
  id: 'c.id',
  checkType: 'c.check_type',
  name: 'c.name',
  target: 'c.target',
  intervalSeconds: 'c.interval_seconds',
  retryIntervalSeconds: 'c.retry_interval_seconds',
  timeoutSeconds: 'c.timeout_seconds',
  failureThreshold: 'c.failure_threshold',
  successThreshold: 'c.success_threshold',
  staleAfterSeconds: 'c.stale_after_seconds',
  options: 'c.options',
  enabled: 'c.enabled',
  trusted: 'c.trusted',
  aimedBy: 'c.aimed_by',
  revision: 'c.revision',
  provenAt: asIso('st.proven_at'),
  status: 'st.status',
  reason: 'st.reason',
  message: 'st.message',
  consecutiveFailures: 'st.consecutive_failures',
  consecutiveSuccesses: 'st.consecutive_successes',
  lastCheckAt: asIso('st.last_check_at'),
} satisfies Record<keyof CheckRecord, string>;
const CHECK_FIELDS = Object.keys(CHECK_COLUMNS);

type VmRow = Omit<VmRecord, 'checks'> & { checks: JsonValue[][] };

function toVmRecord(row: VmRow): VmRecord {
  return { ...row, checks: row.checks.map(toCheckRecord) };
}

function toCheckRecord(values: JsonValue[]): CheckRecord {
  const record: { [field: string]: JsonValue | undefined } = {};
  for (const [index, field] of CHECK_FIELDS.entries()) record[field] = values[index];
  return record as unknown as CheckRecord;
}

const NOW = '$1::timestamptz';
const UNKNOWN_REASON = unknownReason(NOW);

const SELECT = `
SELECT v.id, v.tenant_id AS "tenantId", v.name, v.address, v.external_id AS "externalId", v.site, v.host, v.tags, v.provider, pi.name AS "providerInstance",
  v.report_interval_seconds AS "reportIntervalSeconds", v.settings_version AS "settingsVersion", v.revision,
  v.announced_version AS "announcedVersion", v.attempts_reset_at AS "attemptsResetAt", v.created_at AS "createdAt",
  CASE WHEN v.paused_at IS NOT NULL THEN json_build_object('since', ${asIso('v.paused_at')}, 'reason', v.paused_reason, 'by',
    v.paused_by) END AS paused, v.keep_running AS "keepRunning",
  v.updated_at AS "updatedAt", ${effectiveStatus(NOW)} AS status, ${UNKNOWN_REASON} AS "unknownReason",
  s.reasons, s.consecutive_failures AS "consecutiveFailures", s.consecutive_successes AS "consecutiveSuccesses",
  s.last_check_at AS "lastCheckAt", s.last_healthy_at AS "lastHealthyAt", s.last_unhealthy_at AS "lastUnhealthyAt",
  s.last_look_at AS "lastLookAt",
  CASE WHEN a.vm_id IS NOT NULL THEN json_build_object('lastReportAt', ${asIso('a.last_heartbeat_at')}, 'agentVersion',
    a.agent_version, 'cpu', a.cpu_percent, 'ram', a.ram_percent, 'disk', a.disk_percent, 'uptime', a.uptime_seconds)
  END AS agent,
  (SELECT json_build_object('number', i.incident, 'openedAtMs', ${asMs('i.opened_at')}, 'lastStep', ${LAST_STEP},
      'lastOperation', ${LAST_OPERATION})
    FROM incidents i WHERE i.vm_id = v.id AND i.closed_at IS NULL LIMIT 1) AS incident,
  coalesce((SELECT json_agg(json_build_array(${Object.values(CHECK_COLUMNS).join(', ')}) ORDER BY c.check_type, c.name)
    FROM check_configs c LEFT JOIN check_state st ON st.check_id = c.id WHERE c.vm_id = v.id), '[]') AS checks
FROM vms v JOIN vm_status s ON s.vm_id = v.id LEFT JOIN vm_agents a ON a.vm_id = v.id
  LEFT JOIN provider_instances pi ON pi.id = v.provider_instance_id ${WATCH_OF_EACH}
WHERE v.tenant_id = $2 AND v.deleted_at IS NULL`;

/** The VM that `reference`, an id or an externalId, names within the tenant; null when there is none. */
export async function findVm(pool: Pool, tenantId: string, reference: string, nowMs: number): Promise<VmRecord | null> {
  // Postgres refuses NUL in any text, and no externalId holds one
  if (reference.includes('\u0000')) return null;
  const id = isUuid(reference) ? reference : null;
  const { rows } = await pool.query<VmRow>({
    name: 'find-vm',
    text: `${SELECT} AND (v.id = $3::uuid OR v.external_id = $4) ORDER BY (v.id = $3::uuid) DESC NULLS LAST LIMIT 1`,
    values: [new Date(nowMs), tenantId, id, reference],
  });
  return rows[0] ? toVmRecord(rows[0]) : null;
}

export interface VmFilter {
  status: ShownStatus | null;
  /** Part of the name, address or externalId, in any case. */
  q: string | null;
  tag: string | null;
  provider: string | null;
  afterId: string | null;
  limit: number;
}

/** A page of a tenant's VMs, oldest first. */
export async function findVms(pool: Pool, tenantId: string, filter: VmFilter, nowMs: number): Promise<VmRecord[]> {
  const values: unknown[] = [new Date(nowMs), tenantId];
  const put = (value: unknown) => `$${values.push(value)}`;
  const where: string[] = [];
  if (filter.afterId !== null) where.push(`v.id > ${put(filter.afterId)}::uuid`);
  if (filter.status === 'paused') where.push(`(${UNKNOWN_REASON}) = 'paused'`);
  else if (filter.status === 'unknown')
    where.push(
      `(s.status = 'unknown' OR (${UNKNOWN_REASON}) IS NOT NULL) AND (${UNKNOWN_REASON}) IS DISTINCT FROM 'paused'`,
    );
  // the stored status comes first: it leaves few VMs whose checks have to be read
  else if (filter.status !== null) where.push(`s.status = ${put(filter.status)} AND (${UNKNOWN_REASON}) IS NULL`);
  if (filter.tag !== null) where.push(`${put(filter.tag)} = ANY(v.tags)`);
  if (filter.provider !== null) where.push(`v.provider->>'kind' = ${put(filter.provider)}`);
  if (filter.q !== null) where.push(vmMatches(put(holding(filter.q))));
  const conditions = where.map((condition) => ` AND ${condition}`).join('');
  const text = `${SELECT}${conditions} ORDER BY v.id LIMIT ${put(filter.limit)}`;
  const { rows } = await pool.query<VmRow>(text, values);
  return rows.map(toVmRecord);
}
