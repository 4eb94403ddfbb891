import type { JsonObject } from './json-value.ts';

/** What one probe found. A VM that is ill is a result, never an exception. The names are those of the stored columns. */
export interface ProbeResult {
  /** `unknown` = not conclusive (not permitted, not yet heard, probe failed): it moves no counter and heals nothing. */
  status: 'healthy' | 'unhealthy' | 'unknown';
  /** Machine-readable, kebab-case: `ok`, `timeout`, `http-status`, `not-yet-heard`, `target-refused` … */
  reason: string;
  /** The sentence for people: what went wrong, and what to do; null when healthy. */
  message: string | null;
  /** Milliseconds the target took to answer; null when it did not, or when the check does not measure. */
  latencyMs: number | null;
  /** What the target answered, bounded, without secrets. */
  rawResponse: JsonObject;
  /** The line for operators: `http 200 12 ms`, `tcp timeout`, `agent 14 s ago`. Not stored. */
  summary: string;
  /** The check is known to have succeeded with this aim, although this result is not healthy. Not stored. */
  provesAim?: boolean;
}

/** A probe result as it is stored. While Postgres is away it is kept in the activity's heartbeat. */
export interface CheckResult extends ProbeResult {
  checkId: string;
  /** The grid tick this look was for, epoch ms. */
  dueAtMs: number;
  /** When the probe began, epoch ms. */
  checkedAtMs: number;
  /** The check's series when it was probed; results of an earlier one are dropped. Absent in results of 0.1. Not stored. */
  series?: number;
  /** Between two ticks of the check. Absent in results of 0.1. Not stored. */
  intervalMs?: number;
}

/** The result when a probe failed with an unexpected error, which says nothing about the VM. `what` names the check. */
export function lookFailed(what: string, error: unknown): ProbeResult {
  const message = `look failed: ${error instanceof Error ? error.message : String(error)}`;
  const summary = `${what} look failed`;
  return { status: 'unknown', reason: 'look-failed', message, latencyMs: null, rawResponse: {}, summary };
}

const STATUSES: ReadonlySet<unknown> = new Set(['healthy', 'unhealthy', 'unknown']);

/** Whether this is a check result as this version writes them; earlier versions' heartbeats have another shape. */
export function isCheckResult(value: unknown): value is CheckResult {
  if (typeof value !== 'object' || value === null) return false;
  const given = value as Partial<Record<keyof CheckResult, unknown>>;
  const {
    status,
    reason,
    message,
    latencyMs,
    rawResponse,
    summary,
    checkId,
    dueAtMs,
    checkedAtMs,
    series,
    intervalMs,
  } = given;
  return (
    STATUSES.has(status) &&
    [reason, summary, checkId].every((text) => typeof text === 'string') &&
    [dueAtMs, checkedAtMs].every(Number.isFinite) &&
    (series === undefined || Number.isInteger(series)) &&
    (intervalMs === undefined || Number.isFinite(intervalMs)) &&
    (message === null || typeof message === 'string') &&
    (latencyMs === null || typeof latencyMs === 'number') &&
    typeof rawResponse === 'object' &&
    rawResponse !== null
  );
}
