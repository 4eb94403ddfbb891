import { tickAtOrBefore, WATCH_CLOSELY_MS } from './grid.ts';
import type { HealthStatus } from './health.ts';
import type { CheckResult } from './probe-result.ts';

/** What decides how the results of one check turn into its status. */
export interface Thresholds {
  failureThreshold: number;
  successThreshold: number;
}

/** The state of one check of one VM; times in epoch ms. */
export interface CheckState {
  checkId: string;
  checkType: string;
  status: HealthStatus;
  consecutiveFailures: number;
  consecutiveSuccesses: number;
  /** The last grid tick that was folded in. */
  lastDueAtMs: number | null;
  /** When the last conclusive probe (healthy or unhealthy) began. */
  lastCheckAtMs: number | null;
  lastHealthyAtMs: number | null;
  lastUnhealthyAtMs: number | null;
  /** When the last failure that was counted was due, or began where that was late; null = none since it was last healthy. */
  failedDueAtMs: number | null;
  /**
   * The tick at or before the first of the failures in a row, at the pace of a check that is not healthy; null = none, or it was
   * counted by a version before 0.2.
   */
  failingSinceMs: number | null;
  /** When it first succeeded with its present aim; null = never. */
  provenAtMs: number | null;
  /** Of the last result, `unknown` ones too. */
  reason: string;
  message: string | null;
}

/** The state of a check that has no result yet. */
export function unseenCheck(checkId: string, checkType: string): CheckState {
  return {
    checkId,
    checkType,
    status: 'unknown',
    consecutiveFailures: 0,
    consecutiveSuccesses: 0,
    lastDueAtMs: null,
    lastCheckAtMs: null,
    lastHealthyAtMs: null,
    lastUnhealthyAtMs: null,
    failedDueAtMs: null,
    failingSinceMs: null,
    provenAtMs: null,
    reason: 'not-checked-yet',
    message: null,
  };
}

/**
 * The state after one more result. `unknown` moves no counter. The first conclusive result counts at once; after that a
 * failure below the threshold is `degraded`, at it `unhealthy`, and it takes `successThreshold` successes in a row to be
 * `healthy` again. Failures count as many only where they are apart: three looks that people ask for within three seconds are
 * one failure.
 */
export function foldCheck(
  state: CheckState,
  { vmId, retryIntervalMs, thresholds }: { vmId: string; retryIntervalMs: number; thresholds: Thresholds },
  result: Pick<CheckResult, 'status' | 'reason' | 'message' | 'dueAtMs' | 'checkedAtMs' | 'provesAim'>,
): CheckState {
  const { reason, message, dueAtMs, checkedAtMs } = result;
  const proves = result.status === 'healthy' || result.provesAim === true;
  const provenAtMs = state.provenAtMs ?? (proves ? checkedAtMs : null);
  const base = { ...state, lastDueAtMs: dueAtMs, provenAtMs, reason, message };
  if (result.status === 'unknown') return base;
  if (result.status === 'healthy') {
    const consecutiveSuccesses = state.consecutiveSuccesses + 1;
    const recovered = state.status === 'unknown' || consecutiveSuccesses >= thresholds.successThreshold;
    return {
      ...base,
      status: recovered ? 'healthy' : state.status,
      consecutiveFailures: 0,
      consecutiveSuccesses,
      lastCheckAtMs: checkedAtMs,
      lastHealthyAtMs: checkedAtMs,
      failedDueAtMs: null,
      failingSinceMs: null,
    };
  }
  // looks that are late, as the first one of all, may be followed at once by that of the next tick
  const failedAtMs = checkedAtMs - dueAtMs > WATCH_CLOSELY_MS ? checkedAtMs : dueAtMs;
  const counts = isApart(state.failedDueAtMs, failedAtMs, retryIntervalMs);
  // from a tick, or a look that people asked for would make the ones of the next ticks too few
  const tickMs = tickAtOrBefore(vmId, retryIntervalMs, failedAtMs);
  const consecutiveFailures = state.consecutiveFailures + (counts ? 1 : 0);
  return {
    ...base,
    // an unhealthy check stays so until it recovers: a failure after too few successes does not make it degraded
    status:
      state.status === 'unhealthy' || consecutiveFailures >= thresholds.failureThreshold ? 'unhealthy' : 'degraded',
    consecutiveFailures,
    consecutiveSuccesses: 0,
    lastCheckAtMs: checkedAtMs,
    lastUnhealthyAtMs: checkedAtMs,
    failedDueAtMs: counts ? failedAtMs : state.failedDueAtMs,
    failingSinceMs: counts && state.consecutiveFailures === 0 ? tickMs : earlierOf(state.failingSinceMs, tickMs),
  };
}

/** Whether a failure is far enough from the last counted one; that one is later where a clock was ahead. */
function isApart(lastAtMs: number | null, failedAtMs: number, paceMs: number): boolean {
  return lastAtMs === null || Math.abs(failedAtMs - lastAtMs) >= Math.min(paceMs, WATCH_CLOSELY_MS);
}

/** The first of the failures in a row is later than this one where a clock was ahead; null stays not known. */
function earlierOf(sinceMs: number | null, tickMs: number): number | null {
  return sinceMs === null ? null : Math.min(sinceMs, tickMs);
}

/** From the first of the failures in a row to the last, in ms; null = not known. */
export function failingForMs({ failingSinceMs, failedDueAtMs }: CheckState): number | null {
  return failingSinceMs === null || failedDueAtMs === null ? null : Math.max(0, failedDueAtMs - failingSinceMs);
}
