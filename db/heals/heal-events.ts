import type { Pool } from 'pg';
import type { OperationResult } from '../../domain/operation.ts';

/** An operation as the API answers it. */
export interface HealEventRecord {
  id: number;
  vmId: string;
  incident: number;
  operationId: string;
  policyId: string | null;
  /** The policy's action; `escalate` where the policy escalated. */
  action: string;
  reason: string;
  result: OperationResult;
  errorMessage: string | null;
  previousStatus: string;
  /**
   * Where the VM is with it: `restarting` or `migrating` until looks have judged it, then `healthy`, `stopped`, or as it was before;
   * null where nothing was done to it.
   */
  newStatus: string | null;
  triggeredAt: Date;
  completedAt: Date | null;
}

/** A VM's heal events, newest first. */
export async function findHealEvents(pool: Pool, vmId: string, limit: number): Promise<HealEventRecord[]> {
  const { rows } = await pool.query<HealEventRecord>(
    `SELECT event_id::float8 AS id, vm_id AS "vmId", incident, id AS "operationId", policy_id AS "policyId",
       CASE WHEN escalation THEN 'escalate' ELSE action END AS action, reason, result, error_message AS "errorMessage",
       previous_status AS "previousStatus",
       CASE WHEN power IS NULL AND action <> 'migrate' OR result = 'skipped' THEN NULL
         WHEN result = 'failed' THEN previous_status
         WHEN power IN ('stop', 'shutdown') THEN 'stopped'
         WHEN result = 'success' THEN 'healthy'
         WHEN action = 'migrate' THEN 'migrating'
         WHEN power <> 'resume' THEN 'restarting' END AS "newStatus",
       intended_at AS "triggeredAt", judged_at AS "completedAt"
     FROM operations WHERE vm_id = $1 ORDER BY intended_at DESC, event_id DESC LIMIT $2`,
    [vmId, limit],
  );
  return rows;
}

/**
 * How many attempts a VM has had since then, and when the last one was, also before that. Attempts are what `findAttempts`
 * counts, without escalations.
 */
export async function findHealSummary(
  pool: Pool,
  vmId: string,
  sinceMs: number,
): Promise<{ attempts: number; lastAt: Date | null }> {
  const { rows } = await pool.query<{ attempts: number; lastAt: Date | null }>(
    `SELECT (count(*) FILTER (WHERE intended_at > $2))::int AS attempts, max(intended_at) AS "lastAt"
     FROM operations
     WHERE vm_id = $1 AND state <> 'abandoned' AND cause <> 'storage-failed' AND NOT escalation`,
    [vmId, new Date(sinceMs)],
  );
  return rows[0] ?? { attempts: 0, lastAt: null };
}

/** How many resets and reboots Defib has carried out on a tenant's VMs, within the retention of heal events. */
export async function countResets(pool: Pool, tenantId: string): Promise<number> {
  const { rows } = await pool.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM operations
     WHERE tenant_id = $1 AND power IN ('reset', 'reboot') AND state IN ('sent', 'done')`,
    [tenantId],
  );
  return rows[0]?.count ?? 0;
}
