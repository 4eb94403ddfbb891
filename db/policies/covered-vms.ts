import type { Pool } from 'pg';

/** The VMs in a policy's scope, after that id, by id. */
export async function findVmsInScope(
  pool: Pool,
  tenantId: string,
  { vmId, tag }: { vmId: string | null; tag: string | null },
  afterId: string | null,
  limit: number,
): Promise<{ vmId: string; tags: string[] }[]> {
  const { rows } = await pool.query<{ vmId: string; tags: string[] }>(
    `SELECT id AS "vmId", tags FROM vms
     WHERE tenant_id = $1 AND deleted_at IS NULL AND ($2::uuid IS NULL OR id = $2) AND ($3::text IS NULL OR $3 = ANY(tags))
       AND ($4::uuid IS NULL OR id > $4)
     ORDER BY id LIMIT $5`,
    [tenantId, vmId, tag, afterId, limit],
  );
  return rows;
}
