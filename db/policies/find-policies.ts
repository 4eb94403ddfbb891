import type { Pool } from 'pg';
import type { Policy } from '../../domain/policy.ts';

const COLUMNS = `p.id, p.name, p.enabled, p.trigger_after_failures AS "triggerAfterFailures", p.action,
  p.cooldown_minutes AS "cooldownMinutes", p.max_attempts AS "maxAttempts", p.attempt_window_hours AS "attemptWindowHours",
  p.notify_on_trigger AS "notifyOnTrigger", p.escalate_after_attempts AS "escalateAfterAttempts",
  p.escalation_action AS "escalationAction", p.verify_seconds AS "verifySeconds", p.unhealthy_for_seconds AS "unhealthyForSeconds", p.vm_id AS "vmId", p.tag,
  (extract(epoch FROM p.created_at) * 1000)::float8 AS "createdAtMs"`;

/** The enabled policies that apply to each of these VMs; VMs without one are left out. domain/policy.ts picks among them. */
export async function findApplicablePolicies(pool: Pool, vmIds: readonly string[]): Promise<Map<string, Policy[]>> {
  const { rows } = await pool.query<Policy & { subject: string }>({
    name: 'find-applicable-policies',
    text: `SELECT v.id AS subject, ${COLUMNS} FROM vms v JOIN policies p ON p.tenant_id = v.tenant_id AND p.enabled
        AND (p.vm_id = v.id OR p.vm_id IS NULL AND (p.tag IS NULL OR p.tag = ANY(v.tags)))
      WHERE v.id = ANY($1::uuid[])`,
    values: [vmIds],
  });
  const found = new Map<string, Policy[]>();
  for (const { subject, ...policy } of rows) found.set(subject, [...(found.get(subject) ?? []), policy]);
  return found;
}
