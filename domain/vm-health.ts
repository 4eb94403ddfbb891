import type { CheckState } from './check-state.ts';
import type { CheckTraits } from './check-traits.ts';
import { type HealthStatus, worstOf } from './health.ts';

/** Why a VM has its status: one per check that is not healthy without a remark. */
export interface HealthReason {
  checkId: string;
  checkType: string;
  /** Absent where 0.1 stored it: then every check was about being alive. */
  about?: CheckTraits['about'];
  status: HealthStatus;
  reason: string;
  message: string | null;
}

/** A VM's health as stored in `vm_status`; times in epoch ms. */
export interface VmHealth {
  status: HealthStatus;
  reasons: HealthReason[];
  /** Of the check about being alive that has failed most often in a row; policies are triggered by it. */
  consecutiveFailures: number;
  /** The fewest of any such check with a conclusive status. */
  consecutiveSuccesses: number;
  lastCheckAtMs: number | null;
  lastHealthyAtMs: number | null;
  lastUnhealthyAtMs: number | null;
  /** Number of the last health transition. The VM's workflow knows the transitions up to some number. */
  transitionSeq: number;
}

/** The health of a VM that has no results yet. */
export const UNSEEN: VmHealth = {
  status: 'unknown',
  reasons: [],
  consecutiveFailures: 0,
  consecutiveSuccesses: 0,
  lastCheckAtMs: null,
  lastHealthyAtMs: null,
  lastUnhealthyAtMs: null,
  transitionSeq: 0,
};

/** A change of a VM's status; unique by (VM, seq). */
export interface HealthTransition {
  seq: number;
  from: HealthStatus;
  to: HealthStatus;
  atMs: number;
  reasons: HealthReason[];
}

/** What the VM's health needs to know of a check. */
export interface FoldedCheck extends Pick<CheckTraits, 'about'> {
  readonly state: CheckState;
}

/** The VM from its enabled checks, and the transition if its status changed. Every status change goes through here. */
export function foldVm(
  before: VmHealth,
  checks: readonly FoldedCheck[],
  nowMs: number,
): { health: VmHealth; transition: HealthTransition | null } {
  const alive = checks.filter(({ about }) => about === 'alive');
  const load = checks.filter(({ about }) => about === 'load');
  // that its load is well does not show that a VM is alive, if there are checks about that
  const ofLoad = load
    .map(({ state }) => weightOfLoad(state.status))
    .filter((status) => status !== 'healthy' || alive.length === 0);
  const status = worstOf([...alive.map(({ state }) => state.status), ...ofLoad]);
  const reasons = [...alive, ...load].flatMap(reasonOf);
  const failures = alive.map(({ state }) => state.consecutiveFailures);
  const lastCheckAtMs = latest(checks.map(({ state }) => state.lastCheckAtMs)) ?? before.lastCheckAtMs;
  const conclusive = alive.filter(({ state }) => state.status !== 'unknown');
  const successes = conclusive.map(({ state }) => state.consecutiveSuccesses);
  const changed = status !== before.status;
  const health: VmHealth = {
    status,
    reasons,
    consecutiveFailures: Math.max(0, ...failures),
    consecutiveSuccesses: successes.length === 0 ? 0 : Math.min(...successes),
    lastCheckAtMs,
    lastHealthyAtMs: status === 'healthy' ? lastCheckAtMs : before.lastHealthyAtMs,
    lastUnhealthyAtMs: status === 'unhealthy' ? lastCheckAtMs : before.lastUnhealthyAtMs,
    transitionSeq: before.transitionSeq + (changed ? 1 : 0),
  };
  const transition = changed
    ? { seq: health.transitionSeq, from: before.status, to: status, atMs: nowMs, reasons }
    : null;
  return { health, transition };
}

/** A check about load makes a VM degraded at most. */
function weightOfLoad(status: HealthStatus): HealthStatus {
  return status === 'unhealthy' ? 'degraded' : status;
}

function reasonOf({ about, state }: FoldedCheck): HealthReason[] {
  if (state.status === 'healthy' && state.reason === 'ok') return [];
  const { checkId, checkType, status, reason, message } = state;
  return [{ checkId, checkType, about, status, reason, message }];
}

function latest(times: readonly (number | null)[]): number | null {
  const known = times.filter((time) => time !== null);
  return known.length === 0 ? null : Math.max(...known);
}
