import type { Pool } from 'pg';

/** Sets the clock that `defib_now()` reads; it stands still until it is set again. */
export async function setDatabaseTime(pool: Pool, nowMs: number): Promise<void> {
  await pool.query(
    `INSERT INTO system_config (key, value, updated_at) VALUES ('test.now-ms', to_jsonb($1::float8), now())
     ON CONFLICT (key) DO UPDATE SET value = excluded.value`,
    [nowMs],
  );
}
