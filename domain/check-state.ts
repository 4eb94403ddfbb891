import type { HealthStatus } from './health.ts';
import type { CheckType, Observation } from './observation.ts';

/** What decides how observations of one check turn into its status. */
export interface Thresholds {
  failureThreshold: number;
  successThreshold: number;
}

/** One check of one VM as it stands; times in epoch ms. */
export interface CheckState {
  checkId: string;
  checkType: CheckType;
  status: HealthStatus;
  consecutiveFailures: number;
  consecutiveSuccesses: number;
  /** The last grid tick that was folded in. */
  lastDueAtMs: number | null;
  /** When the last look that could tell (healthy or unhealthy) began. */
  lastCheckAtMs: number | null;
  lastHealthyAtMs: number | null;
  lastUnhealthyAtMs: number | null;
  /** Of the last observation, `unknown` ones too. */
  reason: string;
  message: string | null;
}

export function unseenCheck(checkId: string, checkType: CheckType): CheckState {
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
    reason: 'not-checked-yet',
    message: null,
  };
}

export interface TimedObservation {
  observation: Observation;
  /** The grid tick this look was for. */
  dueAtMs: number;
  /** When the probe began. */
  beganAtMs: number;
}

/**
 * Spec C's state machine. `unknown` moves no counter. The first answer counts at once; after that a failure below the
 * threshold is `degraded`, at it `unhealthy`, and it takes `successThreshold` successes in a row to be `healthy` again.
 */
export function foldCheck(state: CheckState, thresholds: Thresholds, seen: TimedObservation): CheckState {
  const { observation, dueAtMs, beganAtMs } = seen;
  const base = { ...state, lastDueAtMs: dueAtMs, reason: observation.reason, message: observation.message };
  if (observation.outcome === 'unknown') return base;
  if (observation.outcome === 'healthy') {
    const consecutiveSuccesses = state.consecutiveSuccesses + 1;
    const recovered = state.status === 'unknown' || consecutiveSuccesses >= thresholds.successThreshold;
    return {
      ...base,
      status: recovered ? 'healthy' : state.status,
      consecutiveFailures: 0,
      consecutiveSuccesses,
      lastCheckAtMs: beganAtMs,
      lastHealthyAtMs: beganAtMs,
    };
  }
  const consecutiveFailures = state.consecutiveFailures + 1;
  return {
    ...base,
    // an ill check stays ill until it recovers: a failure after too few successes doesn't make it better
    status:
      state.status === 'unhealthy' || consecutiveFailures >= thresholds.failureThreshold ? 'unhealthy' : 'degraded',
    consecutiveFailures,
    consecutiveSuccesses: 0,
    lastCheckAtMs: beganAtMs,
    lastUnhealthyAtMs: beganAtMs,
  };
}
