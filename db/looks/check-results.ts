import type { Pool } from 'pg';
import type { JsonObject } from '../../domain/json-value.ts';
import type { ProbeResult } from '../../domain/probe-result.ts';

/** One stored result, and of which check. */
export interface ResultRecord extends Pick<ProbeResult, 'status' | 'reason' | 'message' | 'latencyMs'> {
  checkId: string;
  checkType: string;
  rawResponse: JsonObject | null;
  checkedAt: Date;
  dueAt: Date;
}

/** Which results of a VM to find. */
export interface ResultPage {
  sinceMs: number;
  checkType: string | null;
  /** Only what comes after this in the list, newest first. */
  before: { dueAtMs: number; checkId: string } | null;
  limit: number;
}

/** Results of one VM, newest first. */
export async function findResults(pool: Pool, vmId: string, page: ResultPage): Promise<ResultRecord[]> {
  const { rows } = await pool.query<ResultRecord>(
    `SELECT check_id AS "checkId", check_type AS "checkType", status, reason, message, latency_ms AS "latencyMs",
       raw_response AS "rawResponse", checked_at AS "checkedAt", due_at AS "dueAt"
     FROM check_results
     WHERE vm_id = $1 AND due_at >= $2 AND ($3::text IS NULL OR check_type = $3)
       AND ($4::timestamptz IS NULL OR due_at <= $4 AND (due_at, check_id) < ($4, $5::uuid))
     ORDER BY due_at DESC, check_id DESC LIMIT $6`,
    [
      vmId,
      new Date(page.sinceMs),
      page.checkType,
      page.before === null ? null : new Date(page.before.dueAtMs),
      page.before?.checkId ?? null,
      page.limit,
    ],
  );
  return rows;
}

/** Counts over a period. */
export interface HistoryTotals {
  total: number;
  healthy: number;
  unhealthy: number;
  /** Mean over those that measured. */
  latencyMs: number | null;
}

/** Counts over all results of the period, whatever page of them is shown. */
export async function findHistoryTotals(
  pool: Pool,
  vmId: string,
  { sinceMs, checkType }: Pick<ResultPage, 'sinceMs' | 'checkType'>,
): Promise<HistoryTotals> {
  const { rows } = await pool.query<HistoryTotals>(
    `SELECT count(*)::int AS total, (count(*) FILTER (WHERE status = 'healthy'))::int AS healthy,
       (count(*) FILTER (WHERE status = 'unhealthy'))::int AS unhealthy, avg(latency_ms) AS "latencyMs"
     FROM check_results WHERE vm_id = $1 AND due_at >= $2 AND ($3::text IS NULL OR check_type = $3)`,
    [vmId, new Date(sinceMs), checkType],
  );
  return rows[0] ?? { total: 0, healthy: 0, unhealthy: 0, latencyMs: null };
}
