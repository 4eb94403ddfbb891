import type { Pool } from 'pg';
import type { ClockReading } from '../../domain/clock-offset.ts';
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
 * Stores looks in one statement, all or none, and returns the VMs whose look was stored, which is when state and watcher are
 * the same as when they were read. Results, check states, the transition and its NOTIFY are stored with it, or nothing is. A
 * group has at most one look of a VM, because a statement updates a row only once. `hearTime` receives the database's time.
 */
export async function storeLooks(
  pool: Pool,
  looks: readonly LookRecord[],
  hearTime: (reading: ClockReading) => void,
): Promise<Set<string>> {
  const byVm = new Map(looks.map((look) => [look.vmId, look]));
  if (byVm.size < looks.length) throw new Error('two looks of one VM were written at the same time');
  const askedAtMs = Date.now();
  const { rows } = await pool.query<{ vm_id: string; now_ms: number }>({
    name: 'store-looks',
    text: SQL,
    values: [
      JSON.stringify(looks.map(toLookRow)),
      JSON.stringify(looks.flatMap(toStateRows)),
      JSON.stringify(looks.flatMap(toResultRows)),
      // ids are repeated because row estimates can't see into the JSON: without them the whole table is read
      looks.map((look) => look.vmId),
    ],
  });
  const [first] = rows;
  if (first) hearTime({ otherMs: first.now_ms, askedAtMs, answeredAtMs: Date.now() });
  return new Set(rows.map((row) => row.vm_id));
}

/** Those of these VMs whose health row another transaction has locked. */
export async function findHeldVms(pool: Pool, vmIds: readonly string[]): Promise<Set<string>> {
  const { rows } = await pool.query<{ vm_id: string }>(
    `WITH free AS (SELECT vm_id FROM vm_status WHERE vm_id = ANY($1::uuid[]) FOR NO KEY UPDATE SKIP LOCKED)
     SELECT vm_id FROM vm_status WHERE vm_id = ANY($1::uuid[]) AND vm_id NOT IN (SELECT vm_id FROM free)`,
    [vmIds],
  );
  return new Set(rows.map((row) => row.vm_id));
}

const at = (column: string) => `to_timestamp(${column} / 1000.0)`;

const SQL = `
WITH looks AS (
  SELECT * FROM jsonb_to_recordset($1::jsonb) AS l("vmId" uuid, "tenantId" text, "lookSeq" bigint, "watchEpoch" int,
    "endedAtMs" float8, status text, reasons jsonb, "consecutiveFailures" int, "consecutiveSuccesses" int,
    "lastCheckAtMs" float8, "lastHealthyAtMs" float8, "lastUnhealthyAtMs" float8, "transitionSeq" int, "from" text,
    "conclusiveUntilMs" float8)
), won AS (
  UPDATE vm_status s SET status = l.status, reasons = l.reasons, consecutive_failures = l."consecutiveFailures",
    consecutive_successes = l."consecutiveSuccesses", last_check_at = ${at('l."lastCheckAtMs"')},
    last_healthy_at = ${at('l."lastHealthyAtMs"')}, last_unhealthy_at = ${at('l."lastUnhealthyAtMs"')},
    last_look_at = ${at('l."endedAtMs"')}, transition_seq = l."transitionSeq", look_seq = l."lookSeq" + 1,
    conclusive_until = ${at('l."conclusiveUntilMs"')}
  FROM looks l JOIN vms v ON v.id = l."vmId" AND v.watch_epoch = l."watchEpoch"
  WHERE s.vm_id = l."vmId" AND s.look_seq = l."lookSeq" AND s.vm_id = ANY($4::uuid[])
  RETURNING s.vm_id, s.look_seq, l."tenantId", l."from", l.status, l.reasons, l."endedAtMs", l."transitionSeq"
), states AS (
  INSERT INTO check_state (check_id, vm_id, status, consecutive_failures, consecutive_successes, last_due_at, last_check_at,
    last_healthy_at, last_unhealthy_at, failed_due_at, failing_since, proven_at, reason, message, seq)
  SELECT c."checkId", w.vm_id, c.status, c."consecutiveFailures", c."consecutiveSuccesses", ${at('c."lastDueAtMs"')},
    ${at('c."lastCheckAtMs"')}, ${at('c."lastHealthyAtMs"')}, ${at('c."lastUnhealthyAtMs"')}, ${at('c."failedDueAtMs"')}, ${at('c."failingSinceMs"')},
    ${at('c."provenAtMs"')}, c.reason, c.message, w.look_seq
  FROM jsonb_to_recordset($2::jsonb) AS c("vmId" uuid, "checkId" uuid, status text, "consecutiveFailures" int,
    "consecutiveSuccesses" int, "lastDueAtMs" float8, "lastCheckAtMs" float8, "lastHealthyAtMs" float8,
    "lastUnhealthyAtMs" float8, "failedDueAtMs" float8, "failingSinceMs" float8, "provenAtMs" float8, reason text, message text)
  JOIN won w ON w.vm_id = c."vmId"
  ON CONFLICT (check_id) DO UPDATE SET status = excluded.status, consecutive_failures = excluded.consecutive_failures,
    consecutive_successes = excluded.consecutive_successes, last_due_at = excluded.last_due_at,
    last_check_at = excluded.last_check_at, last_healthy_at = excluded.last_healthy_at,
    last_unhealthy_at = excluded.last_unhealthy_at, failed_due_at = excluded.failed_due_at, failing_since = excluded.failing_since, proven_at = excluded.proven_at,
    reason = excluded.reason, message = excluded.message, seq = excluded.seq
), results AS (
  INSERT INTO check_results (vm_id, check_id, due_at, checked_at, check_type, status, reason, latency_ms, message, raw_response)
  SELECT w.vm_id, r."checkId", ${at('r."dueAtMs"')}, ${at('r."checkedAtMs"')}, r."checkType", r.status, r.reason,
    r."latencyMs", r.message, r."rawResponse"
  FROM jsonb_to_recordset($3::jsonb) AS r("vmId" uuid, "checkId" uuid, "dueAtMs" float8, "checkedAtMs" float8,
    "checkType" text, status text, reason text, "latencyMs" float8, message text, "rawResponse" jsonb)
  JOIN won w ON w.vm_id = r."vmId"
  ON CONFLICT DO NOTHING
), transitions AS (
  INSERT INTO health_transitions (vm_id, seq, tenant_id, from_status, to_status, reasons, at)
  SELECT vm_id, "transitionSeq", "tenantId", "from", status, reasons, ${at('"endedAtMs"')} FROM won WHERE "from" IS NOT NULL
  RETURNING vm_id, seq, tenant_id, from_status, to_status
), notified AS (
  SELECT pg_notify('${CHANNEL}', json_build_object('kind', 'health', 'vmId', vm_id, 'tenantId', tenant_id, 'from', from_status,
    'to', to_status, 'seq', seq)::text) FROM transitions
)
SELECT vm_id, (SELECT count(*) FROM notified), clock.ms AS now_ms
FROM won, (SELECT (extract(epoch FROM defib_now()) * 1000)::float8 AS ms) clock`;

// Added fields stand before spread ones in the rows below: in the other order V8 takes three times as long.

function toLookRow(look: LookRecord): object {
  const { vmId, tenantId, lookSeq, watchEpoch, endedAtMs, conclusiveUntilMs, health, transition } = look;
  const from = transition?.from ?? null;
  const reasons = health.reasons.map(withCleanMessage);
  return { vmId, tenantId, lookSeq, watchEpoch, endedAtMs, conclusiveUntilMs, from, ...health, reasons };
}

function toStateRows({ vmId, states }: LookRecord): object[] {
  return states.map((state) => ({ vmId, ...withCleanMessage(state) }));
}

function toResultRows({ vmId, states, folded }: LookRecord): object[] {
  const types = new Map(states.map((state) => [state.checkId, state.checkType]));
  return folded.map((result) => {
    const checkType = types.get(result.checkId);
    const rawResponse = cleanJson(result.rawResponse);
    const unstored = { summary: undefined, series: undefined, intervalMs: undefined, provesAim: undefined };
    return { vmId, checkType, ...withCleanMessage(result), rawResponse, ...unstored };
  });
}

function withCleanMessage<T extends { message: string | null }>(row: T): T {
  return row.message === null ? row : { ...row, message: cleanText(row.message) };
}
