import type { CheckState } from './check-state.ts';
import { type HealthStatus, worstOf } from './health.ts';

/** Why a VM has its status: one per check that isn't plainly healthy. */
export interface HealthReason {
  checkId: string;
  checkType: string;
  status: HealthStatus;
  reason: string;
  message: string | null;
}

/** A VM's health as stored in `vm_status`; times in epoch ms. */
export interface VmHealth {
  status: HealthStatus;
  reasons: HealthReason[];
  /** Of the worst check. */
  consecutiveFailures: number;
  consecutiveSuccesses: number;
  lastCheckAtMs: number | null;
  lastHealthyAtMs: number | null;
  lastUnhealthyAtMs: number | null;
  /** Number of the last health transition; news up to one of these has been delivered to the VM's workflow. */
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

/** The VM from its enabled checks, and the transition if its status changed. Every status change goes through here. */
export function foldVm(
  before: VmHealth,
  checks: readonly CheckState[],
  nowMs: number,
): { health: VmHealth; transition: HealthTransition | null } {
  const status = worstOf(checks.map((check) => check.status));
  const reasons = checks.flatMap(reasonOf);
  const failures = checks.map((check) => check.consecutiveFailures);
  const lastCheckAtMs = latest(checks.map((check) => check.lastCheckAtMs)) ?? before.lastCheckAtMs;
  const successes = checks.filter((check) => check.status !== 'unknown').map((check) => check.consecutiveSuccesses);
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

function reasonOf(check: CheckState): HealthReason[] {
  if (check.status === 'healthy' && check.reason === 'ok') return [];
  const { checkId, checkType, status, reason, message } = check;
  return [{ checkId, checkType, status, reason, message }];
}

function latest(times: readonly (number | null)[]): number | null {
  const known = times.filter((time) => time !== null);
  return known.length === 0 ? null : Math.max(...known);
}
