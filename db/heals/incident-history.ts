import type { Pool } from 'pg';
import type { Facts } from '../../domain/facts.ts';
import type { Decision, GuardAnswer } from '../../domain/remedy.ts';

/** An incident with all that its heal decided and did, oldest step first. */
export interface IncidentRecord {
  incident: number;
  openedAt: Date;
  closedAt: Date | null;
  outcome: string | null;
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
  power: string | null;
  escalation: boolean;
  state: 'intended' | 'sent' | 'abandoned' | 'done';
  detail: string | null;
  intendedAt: string;
  sentAt: string | null;
  endedAt: string | null;
}

const iso = (column: string) => `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/** A VM's incidents, newest first; `before` is the incident that the page before ended with. */
export async function findIncidents(
  pool: Pool,
  vmId: string,
  { before, limit }: { before: number | null; limit: number },
): Promise<IncidentRecord[]> {
  const { rows } = await pool.query<IncidentRecord>(
    `SELECT i.incident, i.opened_at AS "openedAt", i.closed_at AS "closedAt", i.outcome,
       coalesce((SELECT json_agg(json_build_object('step', h.step, 'kind', h.kind, 'reason', h.reason,
           'decision', h.decision, 'guards', h.guards, 'facts', h.facts, 'decidedAt', ${iso('h.decided_at')},
           'lastSeenAt', ${iso('h.last_seen_at')}, 'count', h.count) ORDER BY h.step)
         FROM heal_steps h WHERE h.vm_id = i.vm_id AND h.incident = i.incident), '[]') AS steps,
       coalesce((SELECT json_agg(json_build_object('id', o.id, 'action', o.action, 'power', o.power,
           'escalation', o.escalation, 'state', o.state, 'detail', o.detail, 'intendedAt', ${iso('o.intended_at')},
           'sentAt', ${iso('o.sent_at')}, 'endedAt', ${iso('o.ended_at')}) ORDER BY o.intended_at, o.attempt)
         FROM operations o WHERE o.vm_id = i.vm_id AND o.incident = i.incident), '[]') AS operations
     FROM incidents i WHERE i.vm_id = $1 AND ($2::int IS NULL OR i.incident < $2) ORDER BY i.incident DESC LIMIT $3`,
    [vmId, before, limit],
  );
  return rows;
}
