import type { Pool } from 'pg';
import type { FoldedLook } from '../../domain/look.ts';
import { cleanJson, cleanText } from '../clean-text.ts';
import { CHANNEL } from '../notify.ts';

/** A folded look and what it was folded from. */
export interface LookRecord extends FoldedLook {
  vmId: string;
  tenantId: string;
  /** The state it was folded onto: stored only if both still hold. */
  lookSeq: number;
  watchEpoch: number;
  endedAtMs: number;
}

/**
 * Stores looks in one statement, all or none, and returns the VMs whose fold won: state unchanged since it was read, watcher
 * the same. Results, check states, the transition and its NOTIFY go with the winner; a loser leaves nothing behind. A VM may
 * stand in a group once, for one statement updates a row once.
 */
export async function storeLooks(pool: Pool, looks: readonly LookRecord[]): Promise<Set<string>> {
  const byVm = new Map(looks.map((look) => [look.vmId, look]));
  if (byVm.size < looks.length) throw new Error('two looks of one VM were written at the same time');
  const { rows } = await pool.query<{ vm_id: string }>({
    name: 'store-looks',
    text: SQL,
    values: [
      JSON.stringify(looks.map(toLookRow)),
      JSON.stringify(looks.flatMap(toStateRows)),
      JSON.stringify(looks.flatMap(toResultRows)),
      // said twice, or the planner, who can't see into the JSON, reads the whole table
      looks.map((look) => look.vmId),
    ],
  });
  return new Set(rows.map((row) => row.vm_id));
}

const at = (column: string) => `to_timestamp(${column} / 1000.0)`;

const SQL = `
WITH looks AS (
  SELECT * FROM jsonb_to_recordset($1::jsonb) AS l(vm uuid, tenant text, seq bigint, epoch int, status text, reasons jsonb,
    failures int, successes int, checked float8, healthy float8, unhealthy float8, looked float8, transition int, "from" text)
), won AS (
  UPDATE vm_status s SET status = l.status, reasons = l.reasons, consecutive_failures = l.failures,
    consecutive_successes = l.successes, last_check_at = ${at('l.checked')}, last_healthy_at = ${at('l.healthy')},
    last_unhealthy_at = ${at('l.unhealthy')}, last_look_at = ${at('l.looked')}, transition_seq = l.transition,
    look_seq = l.seq + 1
  FROM looks l JOIN vms v ON v.id = l.vm AND v.watch_epoch = l.epoch
  WHERE s.vm_id = l.vm AND s.look_seq = l.seq AND s.vm_id = ANY($4::uuid[])
  RETURNING s.vm_id, s.look_seq, l.tenant, l."from", l.status, l.reasons, l.looked, l.transition
), states AS (
  INSERT INTO check_state (check_id, vm_id, status, consecutive_failures, consecutive_successes, last_due_at, last_check_at,
    last_healthy_at, last_unhealthy_at, reason, message, seq)
  SELECT c.id, w.vm_id, c.status, c.failures, c.successes, ${at('c.due')}, ${at('c.checked')}, ${at('c.healthy')},
    ${at('c.unhealthy')}, c.reason, c.message, w.look_seq
  FROM jsonb_to_recordset($2::jsonb) AS c(vm uuid, id uuid, status text, failures int, successes int, due float8, checked float8,
    healthy float8, unhealthy float8, reason text, message text) JOIN won w ON w.vm_id = c.vm
  ON CONFLICT (check_id) DO UPDATE SET status = excluded.status, consecutive_failures = excluded.consecutive_failures,
    consecutive_successes = excluded.consecutive_successes, last_due_at = excluded.last_due_at,
    last_check_at = excluded.last_check_at, last_healthy_at = excluded.last_healthy_at,
    last_unhealthy_at = excluded.last_unhealthy_at, reason = excluded.reason, message = excluded.message, seq = excluded.seq
), results AS (
  INSERT INTO check_results (vm_id, check_id, due_at, checked_at, check_type, status, reason, latency_ms, error_message, raw_response)
  SELECT w.vm_id, r.id, ${at('r.due')}, ${at('r.began')}, r.type, r.outcome, r.reason, r.latency, r.message, r.raw
  FROM jsonb_to_recordset($3::jsonb) AS r(vm uuid, id uuid, due float8, began float8, type text, outcome text, reason text,
    latency float8, message text, raw jsonb) JOIN won w ON w.vm_id = r.vm
  ON CONFLICT DO NOTHING
), transitions AS (
  INSERT INTO health_transitions (vm_id, seq, tenant_id, from_status, to_status, reasons, at)
  SELECT vm_id, transition, tenant, "from", status, reasons, ${at('looked')} FROM won WHERE "from" IS NOT NULL
  RETURNING vm_id, seq, tenant_id, from_status, to_status
), told AS (
  SELECT pg_notify('${CHANNEL}', json_build_object('kind', 'health', 'vmId', vm_id, 'tenantId', tenant_id, 'from', from_status,
    'to', to_status, 'seq', seq)::text) FROM transitions
)
SELECT vm_id, (SELECT count(*) FROM told) FROM won`;

function toLookRow(look: LookRecord): object {
  const { health, transition } = look;
  return {
    vm: look.vmId,
    tenant: look.tenantId,
    seq: look.lookSeq,
    epoch: look.watchEpoch,
    status: health.status,
    reasons: health.reasons.map((reason) => ({ ...reason, message: reason.message && cleanText(reason.message) })),
    failures: health.consecutiveFailures,
    successes: health.consecutiveSuccesses,
    checked: health.lastCheckAtMs,
    healthy: health.lastHealthyAtMs,
    unhealthy: health.lastUnhealthyAtMs,
    looked: look.endedAtMs,
    transition: health.transitionSeq,
    from: transition?.from ?? null,
  };
}

function toStateRows(look: LookRecord): object[] {
  return look.states.map((state) => ({
    vm: look.vmId,
    id: state.checkId,
    status: state.status,
    failures: state.consecutiveFailures,
    successes: state.consecutiveSuccesses,
    due: state.lastDueAtMs,
    checked: state.lastCheckAtMs,
    healthy: state.lastHealthyAtMs,
    unhealthy: state.lastUnhealthyAtMs,
    reason: state.reason,
    message: state.message && cleanText(state.message),
  }));
}

function toResultRows(look: LookRecord): object[] {
  const types = new Map(look.states.map((state) => [state.checkId, state.checkType]));
  return look.folded.map(({ checkId, dueAtMs, beganAtMs, sighting: { observation } }) => ({
    vm: look.vmId,
    id: checkId,
    due: dueAtMs,
    began: beganAtMs,
    type: types.get(checkId),
    outcome: observation.outcome,
    reason: observation.reason,
    latency: observation.latencyMs,
    message: observation.message && cleanText(observation.message),
    raw: cleanJson(observation.raw),
  }));
}
