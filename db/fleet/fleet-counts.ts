import type { Pool } from 'pg';
import type { ShownStatus } from '../../domain/health.ts';
import { CANNOT_TELL_WHY, shownStatus, unknownReason, WATCH_OF_ALL } from './unknown-reason.ts';

export type FleetCounts = Record<ShownStatus, number> & {
  /** Of the unknown ones: nobody looks at them. */
  unwatched: number;
  /** Of the unknown ones: they are looked at, but no check of theirs is conclusive. */
  cannotTell: number;
};

type Counted = { status: ShownStatus; count: number; unwatched: number; cannotTell: number };

/** How many VMs have which status now; `tenantId` null = of all tenants. */
export async function findFleetCounts(pool: Pool, tenantId: string | null, nowMs: number): Promise<FleetCounts> {
  const { rows } = await pool.query<Counted>(
    `SELECT ${shownStatus('reason', 'status')} AS status, count(*)::int AS count,
       (count(*) FILTER (WHERE reason = 'not-watched'))::int AS unwatched,
       (count(*) FILTER (WHERE reason = 'cannot-tell'))::int AS "cannotTell"
     FROM (SELECT s.status, ${unknownReason('$1::timestamptz')} AS reason
     FROM vms v JOIN vm_status s ON s.vm_id = v.id ${WATCH_OF_ALL}
     WHERE v.deleted_at IS NULL AND ($2::text IS NULL OR v.tenant_id = $2)) AS vm
     GROUP BY 1`,
    [new Date(nowMs), tenantId],
  );
  const counts: FleetCounts = {
    unknown: 0,
    healthy: 0,
    degraded: 0,
    unhealthy: 0,
    paused: 0,
    unwatched: 0,
    cannotTell: 0,
  };
  for (const { status, count, unwatched, cannotTell } of rows) {
    counts[status] += count;
    counts.unwatched += unwatched;
    counts.cannotTell += cannotTell;
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

/** VMs of one site of which the checks can't tell how they are, for one reason. */
export interface CannotTell {
  site: string;
  reason: string;
  count: number;
  /** The message of one of these checks. */
  message: string | null;
}

/** For every site and reason, how many VMs have no check that can tell. */
export async function findCannotTell(pool: Pool, nowMs: number): Promise<CannotTell[]> {
  const { rows } = await pool.query<CannotTell>(
    `SELECT v.site, ${CANNOT_TELL_WHY} AS reason, count(*)::int AS count, min(s.reasons->0->>'message') AS message
     FROM vms v JOIN vm_status s ON s.vm_id = v.id ${WATCH_OF_ALL}
     WHERE v.deleted_at IS NULL AND ${unknownReason('$1::timestamptz')} = 'cannot-tell' GROUP BY 1, 2 ORDER BY 1, 2`,
    [new Date(nowMs)],
  );
  return rows;
}
