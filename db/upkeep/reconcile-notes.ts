import type { Pool } from 'pg';

const MENDED = 'reconcile.mended';
const UNWATCHED_SITES = 'reconcile.unwatched-sites';

/** Adds to the count of what reconcile had to mend; in a healthy system it stays at zero. */
export async function recordMended(pool: Pool, mended: number, nowMs: number): Promise<void> {
  await pool.query(
    `INSERT INTO system_config (key, value, updated_at) VALUES ($1, to_jsonb($2::int), $3)
     ON CONFLICT (key) DO UPDATE SET value = to_jsonb((system_config.value)::int + $2::int), updated_at = $3`,
    [MENDED, mended, new Date(nowMs)],
  );
}

/** How much reconcile has had to mend, ever. */
export async function findMended(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ value: number }>('SELECT value FROM system_config WHERE key = $1', [MENDED]);
  return rows[0]?.value ?? 0;
}

export interface SitesChanged {
  /** Not watched since this sweep: to be alerted, once. */
  lost: string[];
  /** Watched again. */
  found: string[];
}

/** Remembers which sites have VMs that nobody watches, over all workers and restarts, and answers what is new. */
export async function recordUnwatchedSites(pool: Pool, sites: readonly string[], nowMs: number): Promise<SitesChanged> {
  const { rows } = await pool.query<{ before: string[] | null }>(
    `INSERT INTO system_config (key, value, updated_at) VALUES ($1, $2::jsonb, $3)
     ON CONFLICT (key) DO UPDATE SET value = $2::jsonb, updated_at = $3
     RETURNING (SELECT value FROM system_config WHERE key = $1) AS before`,
    [UNWATCHED_SITES, JSON.stringify(sites), new Date(nowMs)],
  );
  const before = rows[0]?.before ?? [];
  return {
    lost: sites.filter((site) => !before.includes(site)),
    found: before.filter((site) => !sites.includes(site)),
  };
}
