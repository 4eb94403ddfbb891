import type { Pool } from 'pg';

/**
 * What all processes count together, ever; both stay at 0 in a healthy system: differences that reconcile has repaired, and results
 * of checks that were let go because too many waited for Postgres.
 */
export type Count = 'reconcile.mended' | 'results.let-go';

/** Adds to a count. */
export async function addToCount(pool: Pool, count: Count, added: number, nowMs: number): Promise<void> {
  await pool.query(
    `INSERT INTO system_config (key, value, updated_at) VALUES ($1, to_jsonb($2::bigint), $3)
     ON CONFLICT (key) DO UPDATE SET value = to_jsonb((system_config.value)::bigint + $2::bigint), updated_at = $3`,
    [count, added, new Date(nowMs)],
  );
}

/** The count, 0 before there is any. */
export async function findCount(pool: Pool, count: Count): Promise<number> {
  const { rows } = await pool.query<{ value: number }>('SELECT value FROM system_config WHERE key = $1', [count]);
  return rows[0]?.value ?? 0;
}
