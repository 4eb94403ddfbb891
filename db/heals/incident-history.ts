import type { Pool } from 'pg';
import type { Facts } from '../../domain/facts.ts';
import type { LastOperation, LastStep } from '../../domain/incident.ts';
import type { OperationResult, OperationState } from '../../domain/operation.ts';
import type { Decision, GuardAnswer } from '../../domain/remedy.ts';
import { holding, vmMatches } from '../fleet/vm-matches.ts';
import { asIso } from '../sql-times.ts';
import { LAST_OPERATION, LAST_STEP } from './incident-columns.ts';

/** An incident, and what its heal decided and did last. */
export interface IncidentRecord {
  vmId: string;
  vmName: string;
  vmDeletedAt: Date | null;
  incident: number;
  openedAt: Date;
  closedAt: Date | null;
  outcome: string | null;
  lastStep: LastStep | null;
  lastOperation: LastOperation | null;
}

/** The same with all that its heal decided and did, oldest first. */
export interface WholeIncidentRecord extends IncidentRecord {
  steps: StepRecord[];
  operations: OperationRecord[];
}

export interface StepRecord {
  step: number;
  kind: 'act' | 'hold' | 'close';
  reason: string;
  decision: Decision;
  guards: GuardAnswer[];
  facts: Facts;
  decidedAt: string;
  lastSeenAt: string;
  count: number;
}

export interface OperationRecord {
  id: string;
  action: string;
  attempt: number;
  power: string | null;
  escalation: boolean;
  state: OperationState;
  result: OperationResult;
  detail: string | null;
  intendedAt: string;
  sentAt: string | null;
  endedAt: string | null;
}

const COLUMNS = `i.vm_id AS "vmId", v.name AS "vmName", v.deleted_at AS "vmDeletedAt", i.incident, i.opened_at AS "openedAt",
  i.closed_at AS "closedAt", i.outcome, ${LAST_STEP} AS "lastStep", ${LAST_OPERATION} AS "lastOperation"`;

/** A VM's incidents, newest first; `before` is the incident that the page before ended with. */
export async function findIncidents(
  pool: Pool,
  vmId: string,
  { before, limit }: { before: number | null; limit: number },
): Promise<WholeIncidentRecord[]> {
  const { rows } = await pool.query<WholeIncidentRecord>(
    `SELECT ${COLUMNS},
       coalesce((SELECT json_agg(json_build_object('step', h.step, 'kind', h.kind, 'reason', h.reason,
           'decision', h.decision, 'guards', h.guards, 'facts', h.facts, 'decidedAt', ${asIso('h.decided_at')},
           'lastSeenAt', ${asIso('h.last_seen_at')}, 'count', h.count) ORDER BY h.step)
         FROM heal_steps h WHERE h.vm_id = i.vm_id AND h.incident = i.incident), '[]') AS steps,
       coalesce((SELECT json_agg(json_build_object('id', o.id, 'action', o.action, 'attempt', o.attempt, 'power', o.power,
           'escalation', o.escalation, 'state', o.state, 'result', o.result, 'detail', o.detail,
           'intendedAt', ${asIso('o.intended_at')}, 'sentAt', ${asIso('o.sent_at')}, 'endedAt', ${asIso('o.ended_at')})
           ORDER BY o.intended_at, o.attempt)
         FROM operations o WHERE o.vm_id = i.vm_id AND o.incident = i.incident), '[]') AS operations
     FROM incidents i JOIN vms v ON v.id = i.vm_id
     WHERE i.vm_id = $1 AND ($2::int IS NULL OR i.incident < $2) ORDER BY i.incident DESC LIMIT $3`,
    [vmId, before, limit],
  );
  return rows;
}

export interface IncidentFilter {
  /** Only those that are open, or that are closed; null = all. */
  open: boolean | null;
  /** Only those opened since then, epoch ms. */
  sinceMs: number | null;
  /** Part of the VM's name, address or externalId, in any case. */
  q: string | null;
  /** The place of the last one of the page before. */
  before: IncidentPlace | null;
  limit: number;
}

export interface IncidentPlace {
  openedAtMs: number;
  vmId: string;
  incident: number;
}

/** A page of the incidents of a tenant's VMs, deleted ones included, newest first. */
export async function findTenantIncidents(
  pool: Pool,
  tenantId: string,
  { open, sinceMs, q, before, limit }: IncidentFilter,
): Promise<IncidentRecord[]> {
  const values: unknown[] = [tenantId];
  const put = (value: unknown) => `$${values.push(value)}`;
  const where = ['i.tenant_id = $1'];
  if (open !== null) where.push(`i.closed_at IS ${open ? '' : 'NOT '}NULL`);
  if (sinceMs !== null) where.push(`i.opened_at >= ${put(new Date(sinceMs))}`);
  if (q !== null) where.push(vmMatches(put(holding(q))));
  if (before !== null) {
    const { openedAtMs, vmId, incident } = before;
    where.push(
      `(i.opened_at, i.vm_id, i.incident) < (${put(new Date(openedAtMs))}, ${put(vmId)}::uuid, ${put(incident)}::int)`,
    );
  }
  const { rows } = await pool.query<IncidentRecord>(
    `SELECT ${COLUMNS} FROM incidents i JOIN vms v ON v.id = i.vm_id WHERE ${where.join(' AND ')}
     ORDER BY i.opened_at DESC, i.vm_id DESC, i.incident DESC LIMIT ${put(limit)}`,
    values,
  );
  return rows;
}
