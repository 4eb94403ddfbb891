import type { Pool } from 'pg';
import type { Policy } from '../../domain/policy.ts';

const COLUMNS = `p.id, p.name, p.enabled, p.trigger_after_failures AS "triggerAfterFailures", p.action,
  p.cooldown_minutes AS "cooldownMinutes", p.max_attempts AS "maxAttempts", p.attempt_window_hours AS "attemptWindowHours",
  p.notify_on_trigger AS "notifyOnTrigger", p.escalate_after_attempts AS "escalateAfterAttempts",
  p.escalation_action AS "escalationAction", p.verify_seconds AS "verifySeconds", p.unhealthy_for_seconds AS "unhealthyForSeconds", p.vm_id AS "vmId", p.tag,
  (extract(epoch FROM p.created_at) * 1000)::float8 AS "createdAtMs"`;

const APPLIES = `p.tenant_id = v.tenant_id AND p.enabled
  AND (p.vm_id = v.id OR p.vm_id IS NULL AND (p.tag IS NULL OR p.tag = ANY(v.tags)))`;

/**
 * Of the enabled policies that apply to each of these VMs, the oldest of each scope, because no other one of it can count; VMs
 * without one are left out. domain/policy.ts picks among them.
 */
export async function findApplicablePolicies(pool: Pool, vmIds: readonly string[]): Promise<Map<string, Policy[]>> {
  const { rows } = await pool.query<Policy & { subject: string }>({
    name: 'find-applicable-policies',
    text: `WITH oldest AS (
        SELECT DISTINCT ON (tenant_id, vm_id, tag) * FROM policies
        WHERE enabled AND tenant_id IN (SELECT tenant_id FROM vms WHERE id = ANY($1::uuid[]))
        ORDER BY tenant_id, vm_id, tag, created_at, id)
      SELECT v.id AS subject, ${COLUMNS} FROM vms v JOIN oldest p ON ${APPLIES} WHERE v.id = ANY($1::uuid[])`,
    values: [vmIds],
  });
  const found = new Map<string, Policy[]>();
  for (const { subject, ...policy } of rows) found.set(subject, [...(found.get(subject) ?? []), policy]);
  return found;
}

/** All enabled policies that apply to a VM, also those that another one keeps from counting. */
export async function findPoliciesOf(pool: Pool, vmId: string): Promise<Policy[]> {
  const { rows } = await pool.query<Policy>(
    `SELECT ${COLUMNS} FROM vms v JOIN policies p ON ${APPLIES} WHERE v.id = $1`,
    [vmId],
  );
  return rows;
}
