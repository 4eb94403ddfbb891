import type { Pool } from 'pg';

/** An ill VM for which Defib can do no more. */
export interface NeedsAPerson {
  vmId: string;
  vmName: string;
  tenantId: string;
  /** Why nothing more is done: the sentence of the heal's last decision. */
  sentence: string;
}

/**
 * Of all tenants: those whose heal holds because its attempts are used up, or because its hypervisor takes no action; and those
 * that have been off or in a state that should pass by itself, whose hypervisor has given no answer, or whose policy has asked for
 * what its provider can't do, since before that time.
 */
export async function findNeedingAPerson(pool: Pool, sinceMs: number): Promise<NeedsAPerson[]> {
  const { rows } = await pool.query<NeedsAPerson>(
    `SELECT v.id AS "vmId", v.name AS "vmName", v.tenant_id AS "tenantId", last.decision->>'sentence' AS sentence
     FROM incidents i JOIN vms v ON v.id = i.vm_id
     CROSS JOIN LATERAL (SELECT kind, reason, decision, decided_at FROM heal_steps h
       WHERE h.vm_id = i.vm_id AND h.incident = i.incident ORDER BY step DESC LIMIT 1) last
     WHERE i.closed_at IS NULL AND v.deleted_at IS NULL AND last.kind = 'hold'
       AND (last.reason IN ('attempts-used-up', 'not-sendable')
         OR (last.reason IN ('off-at-hypervisor', 'in-transit', 'provider-unreachable', 'action-unsupported')
           AND last.decided_at < $1))
     ORDER BY v.id`,
    [new Date(sinceMs)],
  );
  return rows;
}

/** The VMs that one failed storage has stopped: that of their host, or of their site where they name no host. */
export interface StorageFailure {
  site: string;
  host: string | null;
  count: number;
  /** The names of some of them. */
  vmNames: string[];
}

/** Of all tenants: what the hypervisors last said to the heals of ill VMs. */
export async function findStorageFailures(pool: Pool): Promise<StorageFailure[]> {
  const { rows } = await pool.query<StorageFailure>(
    `SELECT v.site, v.host, count(*)::int AS count, (array_agg(v.name ORDER BY v.name))[1:3] AS "vmNames"
     FROM incidents i JOIN vms v ON v.id = i.vm_id
     WHERE i.closed_at IS NULL AND v.deleted_at IS NULL AND i.power_state = 'storage-failed'
     GROUP BY v.site, v.host ORDER BY v.site, v.host`,
  );
  return rows;
}
