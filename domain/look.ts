import { type CheckState, foldCheck } from './check-state.ts';
import { conclusionHoldsMs, conclusiveUntil } from './conclusive.ts';
import { dueTick, msToNextTick, plausibleTime } from './grid.ts';
import type { CheckResult } from './probe-result.ts';
import { foldVm, type HealthTransition, type VmHealth } from './vm-health.ts';
import type { WatchedCheck, WatchedVm } from './watched.ts';

/** A check that is due, and the tick it is due for. */
export interface DueCheck {
  check: WatchedCheck;
  dueAtMs: number;
}

/** How a look is asked for; everything else comes from the VM's stored settings. */
export interface LookMode {
  /** Look at every check no slower than this (a verify window); null = at the checks' own intervals. */
  paceMs: number | null;
  /** Look at every enabled check now, whatever the grid says. */
  now: boolean;
}

/** Milliseconds between two looks at this check in this mode. */
export function intervalIn(mode: LookMode, check: WatchedCheck): number {
  const isIll = check.state.status === 'degraded' || check.state.status === 'unhealthy';
  const ownMs = isIll ? check.retryIntervalMs : check.intervalMs;
  return mode.paceMs === null ? ownMs : Math.min(ownMs, mode.paceMs);
}

/** The checks due now. A VM that is stopped on purpose or paused is not looked at. */
export function planLook(vm: WatchedVm, mode: LookMode, nowMs: number): DueCheck[] {
  if (vm.stoppedOnPurpose || vm.paused !== null || vm.deleted) return [];
  return vm.checks.flatMap((check) => {
    if (mode.now) return [{ check, dueAtMs: nowMs }];
    const dueAtMs = dueTick(
      { vmId: vm.vmId, intervalMs: intervalIn(mode, check), lastDueAtMs: check.state.lastDueAtMs },
      nowMs,
    );
    return dueAtMs === null ? [] : [{ check, dueAtMs }];
  });
}

const IDLE_MS = 60_000;

/**
 * Milliseconds until the next look; at least 1. A check whose next tick came while it was being probed is due at once: probes
 * of a hung VM last until their timeout, and it is still looked at at each tick. For a VM with nothing to look at: a minute.
 */
export function msToNextLook(vm: WatchedVm, mode: LookMode, nowMs: number): number {
  if (vm.checks.length === 0 || vm.stoppedOnPurpose || vm.paused !== null) return IDLE_MS;
  if (planLook(vm, { ...mode, now: false }, nowMs).length > 0) return 1;
  return msToNextTick(
    vm.vmId,
    vm.checks.map((check) => intervalIn(mode, check)),
    nowMs,
  );
}

/** A look ready to be stored. */
export interface FoldedLook {
  health: VmHealth;
  transition: HealthTransition | null;
  /** Of the checks that have new results. */
  states: CheckState[];
  /** The results that were new; one of an older tick than the last folded one is dropped. */
  folded: CheckResult[];
  /** Until when the last conclusive results of the VM's checks hold, epoch ms; null = none has been conclusive. */
  conclusiveUntilMs: number | null;
}

/** Folds results, oldest first, into the VM's state. Pure; those of checks that are gone, or began anew since, are dropped. */
export function foldLook(vm: WatchedVm, results: readonly CheckResult[], nowMs: number): FoldedLook {
  const checks = new Map(vm.checks.map((check) => [check.checkId, check]));
  const folded: CheckResult[] = [];
  for (const result of results.toSorted((a, b) => a.dueAtMs - b.dueAtMs)) {
    const check = checks.get(result.checkId);
    if (!check || (result.series !== undefined && result.series !== check.series)) continue;
    const last = plausibleTime(check.state.lastDueAtMs, nowMs);
    if (last !== null && result.dueAtMs <= last) continue;
    checks.set(result.checkId, {
      ...check,
      state: foldCheck(stateInARow(check, result), { ...check, vmId: vm.vmId }, result),
    });
    folded.push(result);
  }
  const after = [...checks.values()];
  const { health, transition } = foldVm(vm.health, after, nowMs);
  const touched = new Set(folded.map((result) => result.checkId));
  const states = after.filter(({ checkId }) => touched.has(checkId)).map(({ state }) => state);
  return { health, transition, states, folded, conclusiveUntilMs: conclusiveUntil(after, nowMs) };
}

/**
 * The state that a result follows. When the last conclusion is too old to hold, nothing is known of the time between: results of
 * before are not in a row with it.
 */
function stateInARow(check: WatchedCheck, { checkedAtMs }: CheckResult): CheckState {
  const { state } = check;
  const isInARow = checkedAtMs <= (state.lastCheckAtMs ?? checkedAtMs) + conclusionHoldsMs(check);
  return isInARow ? state : { ...state, consecutiveFailures: 0, consecutiveSuccesses: 0 };
}

/** The VM after its folded look was stored. */
export function applyFold(vm: WatchedVm, { health, states }: FoldedLook): WatchedVm {
  const after = new Map(states.map((state) => [state.checkId, state]));
  const checks = vm.checks.map((check) => ({ ...check, state: after.get(check.checkId) ?? check.state }));
  return { ...vm, checks, health, lookSeq: vm.lookSeq + 1 };
}

/** The VM while its folded look can't be stored: only its due times change. */
export function applyDueTimes(vm: WatchedVm, { states }: FoldedLook): WatchedVm {
  const after = new Map(states.map((state) => [state.checkId, state.lastDueAtMs]));
  const checks = vm.checks.map((check) => {
    const lastDueAtMs = after.get(check.checkId) ?? check.state.lastDueAtMs;
    return { ...check, state: { ...check.state, lastDueAtMs } };
  });
  return { ...vm, checks };
}

/** The line an operator reads in the Temporal UI: `healthy · http 200 12 ms · tcp:22 1 ms · agent 14 s ago`. */
export function lookLine(
  vm: Pick<WatchedVm, 'stoppedOnPurpose' | 'paused' | 'health'>,
  results: readonly CheckResult[],
): string {
  if (vm.stoppedOnPurpose) return 'not looked at: stopped on purpose';
  if (vm.paused !== null) return `not looked at: ${vm.paused.by} paused it`;
  return [vm.health.status, ...results.map((result) => result.summary)].join(' · ');
}
