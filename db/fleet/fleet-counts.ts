import type { Pool } from 'pg';
import type { HealthStatus } from '../../domain/health.ts';
import { effectiveStatus, unknownReason, WATCH_OF_ALL } from './unknown-reason.ts';

export type FleetCounts = Record<HealthStatus, number> & {
  /** Of the unknown ones: nobody looks at them. */
  unwatched: number;
};

/** How many VMs have which status now; `tenantId` null = of all tenants. */
export async function findFleetCounts(pool: Pool, tenantId: string | null, nowMs: number): Promise<FleetCounts> {
  const { rows } = await pool.query<{ status: HealthStatus; count: number; unwatched: number }>(
    `SELECT ${effectiveStatus('$1::timestamptz')} AS status, count(*)::int AS count,
       (count(*) FILTER (WHERE ${unknownReason('$1::timestamptz')} = 'not-watched'))::int AS unwatched
     FROM vms v JOIN vm_status s ON s.vm_id = v.id ${WATCH_OF_ALL}
     WHERE v.deleted_at IS NULL AND ($2::text IS NULL OR v.tenant_id = $2) GROUP BY 1`,
    [new Date(nowMs), tenantId],
  );
  const counts: FleetCounts = { unknown: 0, healthy: 0, degraded: 0, unhealthy: 0, unwatched: 0 };
  for (const { status, count, unwatched } of rows) {
    counts[status] += count;
    counts.unwatched += unwatched;
  }
  return counts;
}

/** The sites with VMs that nobody watches, and how many each has. */
export async function findUnwatchedSites(pool: Pool, nowMs: number): Promise<{ site: string; count: number }[]> {
  const { rows } = await pool.query<{ site: string; count: number }>(
    `SELECT v.site, count(*)::int AS count FROM vms v JOIN vm_status s ON s.vm_id = v.id ${WATCH_OF_ALL}
     WHERE v.deleted_at IS NULL AND ${unknownReason('$1::timestamptz')} = 'not-watched' GROUP BY v.site ORDER BY v.site`,
    [new Date(nowMs)],
  );
  return rows;
}
