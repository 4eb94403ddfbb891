import type { Pool } from 'pg';
import type { HealthStatus } from '../../domain/health.ts';
import { pagesOf } from '../pages.ts';

const STUCK = 'reconcile.stuck-workflows';

/**
 * VMs, deleted ones too, whose workflow got something to do after that time, because their health or their settings
 * changed. In pages.
 */
export function eventfulVmIds(pool: Pool, afterMs: number): AsyncGenerator<string[]> {
  return pagesOf(
    async (after: string | null, limit) => {
      // a subquery, because a join reads months of transitions instead of the last one of each VM; 105 ms with 20,000 VMs
      const { rows } = await pool.query<{ id: string }>(
        `SELECT DISTINCT id FROM (
           SELECT id, updated_at AS at FROM vms
           UNION ALL
           SELECT s.vm_id, (SELECT t.at FROM health_transitions t WHERE t.vm_id = s.vm_id AND t.seq = s.transition_seq)
           FROM vm_status s
         ) AS eventful WHERE at > $1 AND ($2::uuid IS NULL OR id > $2) ORDER BY id LIMIT $3`,
        [new Date(afterMs), after, limit],
      );
      return rows.map(({ id }) => id);
    },
    (id) => id,
  );
}

/** The health of those of the VMs that should be looked at, and whose health has not changed since that time. */
export async function findSettledHealth(
  pool: Pool,
  vmIds: readonly string[],
  sinceMs: number,
): Promise<Map<string, HealthStatus>> {
  const { rows } = await pool.query<{ id: string; status: HealthStatus }>(
    `SELECT v.id, s.status FROM vms v JOIN vm_status s ON s.vm_id = v.id
     JOIN health_transitions t ON t.vm_id = s.vm_id AND t.seq = s.transition_seq
     WHERE v.id = ANY($1::uuid[]) AND t.at < $2
       AND v.deleted_at IS NULL AND v.paused_at IS NULL AND v.stopped_on_purpose_at IS NULL`,
    [vmIds, new Date(sinceMs)],
  );
  return new Map(rows.map(({ id, status }) => [id, status]));
}

/** Stores which workflows can't go on, for all workers and across restarts. */
export async function recordStuckWorkflows(pool: Pool, ids: readonly string[], nowMs: number): Promise<void> {
  await pool.query(
    `INSERT INTO system_config (key, value, updated_at) VALUES ($1, $2::jsonb, $3)
     ON CONFLICT (key) DO UPDATE SET value = $2::jsonb, updated_at = $3`,
    [STUCK, JSON.stringify(ids), new Date(nowMs)],
  );
}

/** The workflows that could not go on when reconcile last ran, and when that was; null before its first run. */
export async function findStuckWorkflows(pool: Pool): Promise<{ ids: string[]; at: Date } | null> {
  const { rows } = await pool.query<{ ids: string[]; at: Date }>(
    'SELECT value AS ids, updated_at AS at FROM system_config WHERE key = $1',
    [STUCK],
  );
  return rows[0] ?? null;
}
