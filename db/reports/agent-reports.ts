import type { Pool } from 'pg';
import { ensurePartition } from '../upkeep/partitions.ts';

/** What an agent measured; percents from 0 to 100. */
export interface Measurement {
  cpu: number | null;
  ram: number | null;
  disk: number | null;
  uptime: number | null;
}

export interface LiveReport extends Measurement {
  agentAtMs: number | null;
  agentVersion: string | null;
}

export interface PastReport extends Measurement {
  atMs: number;
}

/**
 * Stores a VM's reports in one statement. Only the live one, by our receive time, counts as a heartbeat; what an agent
 * fills in afterwards adds measurements, once however often it is sent.
 */
export async function recordReports(
  pool: Pool,
  vmId: string,
  live: LiveReport | null,
  past: readonly PastReport[],
  receivedAtMs: number,
): Promise<void> {
  const rows = [
    ...(live === null ? [] : [{ ...live, atMs: receivedAtMs, backfilled: false }]),
    ...past.map((report) => ({ ...report, backfilled: true })),
  ];
  const values = [
    vmId,
    JSON.stringify(rows),
    live === null ? null : new Date(receivedAtMs),
    live?.agentAtMs == null ? null : new Date(live.agentAtMs),
    live?.agentVersion ?? null,
  ];
  try {
    await pool.query({ name: 'record-reports', text: SQL, values });
  } catch (error) {
    if (!isMissingPartition(error)) throw error;
    const days = new Set(rows.map((row) => Math.floor(row.atMs / DAY_MS)));
    for (const day of days) await ensurePartition(pool, 'vm_metrics', day * DAY_MS);
    await pool.query({ name: 'record-reports', text: SQL, values });
  }
}

const DAY_MS = 86_400_000;

const SQL = `
WITH report AS (
  SELECT * FROM jsonb_to_recordset($2::jsonb) AS r("atMs" float8, backfilled boolean, cpu float8, ram float8, disk float8,
    uptime float8)
), measured AS (
  INSERT INTO vm_metrics (vm_id, at, backfilled, cpu_percent, ram_percent, disk_percent, uptime_seconds)
  SELECT $1::uuid, to_timestamp("atMs" / 1000.0), backfilled, cpu, ram, disk, uptime FROM report
  ON CONFLICT DO NOTHING
)
INSERT INTO vm_agents AS a (vm_id, last_heartbeat_at, agent_at, agent_version, cpu_percent, ram_percent, disk_percent,
  uptime_seconds)
SELECT $1::uuid, $3::timestamptz, $4::timestamptz, $5::text, cpu, ram, disk, uptime FROM report WHERE NOT backfilled
ON CONFLICT (vm_id) DO UPDATE SET last_heartbeat_at = greatest(a.last_heartbeat_at, excluded.last_heartbeat_at),
  agent_at = excluded.agent_at, agent_version = coalesce(excluded.agent_version, a.agent_version),
  cpu_percent = excluded.cpu_percent, ram_percent = excluded.ram_percent, disk_percent = excluded.disk_percent,
  uptime_seconds = excluded.uptime_seconds`;

function isMissingPartition(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === '23514' && /no partition/.test(error.message);
}

/** Which VM a report is for, and whether it has an agent check, enabled or not; null when the VM is gone. */
export async function findReportedVm(
  pool: Pool,
  tenantId: string,
  vmId: string,
): Promise<{ externalId: string | null; hasAgentCheck: boolean; reportIntervalSeconds: number } | null> {
  const { rows } = await pool.query<{
    externalId: string | null;
    hasAgentCheck: boolean;
    reportIntervalSeconds: number;
  }>({
    name: 'find-reported-vm',
    text: `SELECT v.external_id AS "externalId", v.report_interval_seconds AS "reportIntervalSeconds",
      EXISTS (SELECT FROM check_configs c WHERE c.vm_id = v.id AND c.check_type = 'agent') AS "hasAgentCheck"
      FROM vms v WHERE v.id = $1 AND v.tenant_id = $2 AND v.deleted_at IS NULL`,
    values: [vmId, tenantId],
  });
  return rows[0] ?? null;
}
