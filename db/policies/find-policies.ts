import type { Pool } from 'pg';
import type { Policy } from '../../domain/policy.ts';

/** All policies of a tenant, disabled ones too. */
export async function findPolicies(pool: Pool, tenantId: string): Promise<Policy[]> {
  const { rows } = await pool.query<Policy>({
    name: 'find-policies',
    text: `SELECT id, name, enabled, trigger_after_failures AS "triggerAfterFailures", action,
      cooldown_minutes AS "cooldownMinutes", max_attempts AS "maxAttempts", attempt_window_hours AS "attemptWindowHours",
      notify_on_trigger AS "notifyOnTrigger", escalate_after_attempts AS "escalateAfterAttempts",
      escalation_action AS "escalationAction", verify_seconds AS "verifySeconds", vm_id AS "vmId", tag,
      (extract(epoch FROM created_at) * 1000)::float8 AS "createdAtMs"
      FROM policies WHERE tenant_id = $1`,
    values: [tenantId],
  });
  return rows;
}
