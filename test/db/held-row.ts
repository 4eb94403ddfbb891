import { Client, type Pool } from 'pg';
import { until } from '../../local/until.ts';

/** Holds a VM's row until `release`, so that a write to it is caught in the middle. */
export async function holdRow(databaseUrl: string, vmId: string): Promise<{ release(): Promise<void> }> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query('BEGIN');
  await client.query('SELECT 1 FROM vm_status WHERE vm_id = $1 FOR UPDATE', [vmId]);
  return { release: () => client.end() };
}

/** Waits until a connection of that application waits for such a row; answers its backend. */
export async function backendThatWaits(pool: Pool, applicationName: string): Promise<number> {
  const sql = "SELECT pid FROM pg_stat_activity WHERE application_name = $1 AND wait_event_type = 'Lock'";
  return until(async () => (await pool.query<{ pid: number }>(sql, [applicationName])).rows[0]?.pid, { everyMs: 1 });
}
