import type { Pool } from 'pg';

const STUCK = 'reconcile.stuck-workflows';

/**
 * VMs, deleted ones too, whose workflow got something to do after that time, because their health or their settings
 * changed; the latest first.
 */
export async function findEventfulVmIds(pool: Pool, afterMs: number, limit: number): Promise<string[]> {
  // a subquery, because a join reads months of transitions instead of the last one of each VM; 105 ms with 20,000 VMs
  const { rows } = await pool.query<{ id: string }>(
    `SELECT id FROM (
       SELECT id, updated_at AS at FROM vms
       UNION ALL
       SELECT s.vm_id, (SELECT t.at FROM health_transitions t WHERE t.vm_id = s.vm_id AND t.seq = s.transition_seq)
       FROM vm_status s
     ) AS eventful WHERE at > $1 GROUP BY id ORDER BY max(at) DESC LIMIT $2`,
    [new Date(afterMs), limit],
  );
  return rows.map(({ id }) => id);
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
