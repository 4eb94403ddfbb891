import type { Pool } from 'pg';

/** A check that has reached its failure threshold and has never succeeded. */
export interface UnprovenCheck {
  checkId: string;
  checkType: string;
  name: string;
  message: string | null;
  vmId: string;
  vmName: string;
  tenantId: string;
}

/** Of all tenants; those that are trusted, disabled or of deleted VMs are left out. */
export async function findUnprovenChecks(pool: Pool): Promise<UnprovenCheck[]> {
  const { rows } = await pool.query<UnprovenCheck>(
    `SELECT c.id AS "checkId", c.check_type AS "checkType", c.name, st.message, v.id AS "vmId", v.name AS "vmName",
       v.tenant_id AS "tenantId"
     FROM check_state st JOIN check_configs c ON c.id = st.check_id JOIN vms v ON v.id = c.vm_id
     WHERE st.proven_at IS NULL AND st.consecutive_failures >= c.failure_threshold AND c.enabled AND NOT c.trusted
       AND v.deleted_at IS NULL
     ORDER BY c.id`,
  );
  return rows;
}
