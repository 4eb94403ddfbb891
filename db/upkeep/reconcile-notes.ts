import type { Pool } from 'pg';

const MENDED = 'reconcile.mended';

/** Adds to the number of differences that reconcile has repaired; in a healthy system it stays at 0. */
export async function recordMended(pool: Pool, mended: number, nowMs: number): Promise<void> {
  await pool.query(
    `INSERT INTO system_config (key, value, updated_at) VALUES ($1, to_jsonb($2::int), $3)
     ON CONFLICT (key) DO UPDATE SET value = to_jsonb((system_config.value)::int + $2::int), updated_at = $3`,
    [MENDED, mended, new Date(nowMs)],
  );
}

/** How many differences reconcile has ever repaired. */
export async function findMended(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ value: number }>('SELECT value FROM system_config WHERE key = $1', [MENDED]);
  return rows[0]?.value ?? 0;
}
