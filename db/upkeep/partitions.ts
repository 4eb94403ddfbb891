import type { Pool } from 'pg';

const DAY_MS = 86_400_000;
const TABLES = ['check_results', 'vm_metrics'] as const;

/** The tables that are partitioned by day. */
export type PartitionedTable = (typeof TABLES)[number];

/** Makes the daily partitions from yesterday to `daysAhead` days after `nowMs`; those that exist are left alone. */
export async function ensurePartitions(pool: Pool, nowMs: number, daysAhead = 7): Promise<void> {
  for (const table of TABLES) {
    for (let day = -1; day <= daysAhead; day++) await ensurePartition(pool, table, nowMs + day * DAY_MS);
  }
}

/** Makes the one partition that holds `atMs`. */
export async function ensurePartition(pool: Pool, table: PartitionedTable, atMs: number): Promise<void> {
  const from = new Date(Math.floor(atMs / DAY_MS) * DAY_MS);
  const until = new Date(from.getTime() + DAY_MS);
  const sql = `CREATE TABLE IF NOT EXISTS "${table}_${stamp(from)}" PARTITION OF "${table}"
    FOR VALUES FROM ('${from.toISOString()}') TO ('${until.toISOString()}')`;
  try {
    await pool.query(sql);
  } catch (error) {
    // IF NOT EXISTS still races with another process making the same partition
    if (!(error instanceof Error && 'code' in error && (error.code === '42P07' || error.code === '23505'))) throw error;
  }
}

/** Drops the partitions that lie wholly before `beforeMs`; returns their names. */
export async function dropPartitionsBefore(pool: Pool, table: PartitionedTable, beforeMs: number): Promise<string[]> {
  const limit = `${table}_${stamp(new Date(beforeMs))}`;
  const { rows } = await pool.query<{ name: string }>(
    `SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
     WHERE i.inhparent = $1::regclass AND c.relname < $2 ORDER BY 1`,
    [table, limit],
  );
  for (const { name } of rows) {
    // one transaction; the lock keeps out others that drop, whom Postgres would fail in mid-drop, and nobody else
    await pool.query(`LOCK TABLE "${table}" IN SHARE UPDATE EXCLUSIVE MODE; DROP TABLE IF EXISTS "${name}"`);
  }
  return rows.map((row) => row.name);
}

function stamp(day: Date): string {
  return day.toISOString().slice(0, 10).replaceAll('-', '');
}
