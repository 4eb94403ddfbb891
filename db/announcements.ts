import type { Pool } from 'pg';

/** Notes that a VM's workflow was told of its settings up to this version. */
export async function recordAnnounced(pool: Pool, vmId: string, version: number): Promise<void> {
  await pool.query('UPDATE vms SET announced_version = greatest(announced_version, $2) WHERE id = $1', [vmId, version]);
}
