import { desc, eq } from 'drizzle-orm';
import type { Pool } from 'pg';
import type { Database } from '../database.ts';
import { healEvents } from '../schema/heals.ts';

export type HealEventRow = typeof healEvents.$inferSelect;

/** A VM's heal events, newest first. */
export async function findHealEvents(database: Database, vmId: string, limit: number): Promise<HealEventRow[]> {
  return database.orm
    .select()
    .from(healEvents)
    .where(eq(healEvents.vmId, vmId))
    .orderBy(desc(healEvents.triggeredAt), desc(healEvents.id))
    .limit(limit);
}

/** How often a VM was healed since then, as the guards count it: escalations and what was never sent are no attempts. */
export async function findHealSummary(
  pool: Pool,
  vmId: string,
  sinceMs: number,
): Promise<{ attempts: number; lastAt: Date | null }> {
  const { rows } = await pool.query<{ attempts: number; lastAt: Date | null }>(
    `SELECT (count(*) FILTER (WHERE e.triggered_at > $2 AND o.state IS DISTINCT FROM 'abandoned'
         AND o.escalation IS NOT TRUE))::int AS attempts, max(e.triggered_at) AS "lastAt"
     FROM heal_events e LEFT JOIN operations o ON o.id = e.operation_id WHERE e.vm_id = $1`,
    [vmId, new Date(sinceMs)],
  );
  return rows[0] ?? { attempts: 0, lastAt: null };
}
