import { type CheckState, foldCheck } from './check-state.ts';
import { dueTick, msToNextTick, plausibleLastDue } from './grid.ts';
import type { Sighting } from './observation.ts';
import { foldVm, type HealthTransition, type VmHealth } from './vm-health.ts';
import type { WatchedCheck, WatchedVm } from './watched.ts';

/** A check whose turn it is, and the tick it is for. */
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

export function intervalIn(mode: LookMode, check: WatchedCheck): number {
  return mode.paceMs === null ? check.intervalMs : Math.min(check.intervalMs, mode.paceMs);
}

/** The checks due now. A VM stopped by request is not looked at. */
export function planLook(vm: WatchedVm, mode: LookMode, nowMs: number): DueCheck[] {
  if (vm.stoppedOnPurpose || vm.deleted) return [];
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

/** Milliseconds until the next look; at least 1. A VM with nothing to look at is asked about once a minute. */
export function msToNextLook(vm: WatchedVm, mode: LookMode, nowMs: number): number {
  if (vm.checks.length === 0 || vm.stoppedOnPurpose) return IDLE_MS;
  return msToNextTick(
    vm.vmId,
    vm.checks.map((check) => intervalIn(mode, check)),
    nowMs,
  );
}

/** What one probe of a look saw; the unit that is stored, and that rides along while Postgres is away. */
export interface Seen {
  checkId: string;
  dueAtMs: number;
  beganAtMs: number;
  sighting: Sighting;
}

/** A look ready to be stored. */
export interface FoldedLook {
  health: VmHealth;
  transition: HealthTransition | null;
  states: CheckState[];
  /** Those of the sightings that were new; an older tick than the last folded one says nothing. */
  folded: Seen[];
}

/** Folds what was seen, oldest first, into the VM's state. Pure; sightings of checks that are gone are dropped. */
export function foldLook(vm: WatchedVm, seen: readonly Seen[], nowMs: number): FoldedLook {
  const states = new Map(vm.checks.map((check) => [check.checkId, check.state]));
  const thresholds = new Map(vm.checks.map((check) => [check.checkId, check.thresholds]));
  const folded: Seen[] = [];
  for (const one of seen.toSorted((a, b) => a.dueAtMs - b.dueAtMs)) {
    const state = states.get(one.checkId);
    const limits = thresholds.get(one.checkId);
    if (!state || !limits) continue;
    const last = plausibleLastDue(state.lastDueAtMs, nowMs);
    if (last !== null && one.dueAtMs <= last) continue;
    states.set(one.checkId, foldCheck(state, limits, { ...one, observation: one.sighting.observation }));
    folded.push(one);
  }
  const { health, transition } = foldVm(vm.health, [...states.values()], nowMs);
  const touched = new Set(folded.map((one) => one.checkId));
  return { health, transition, states: [...states.values()].filter((state) => touched.has(state.checkId)), folded };
}

/** The line an operator reads in the Temporal UI: `healthy · http 200 12 ms · tcp:22 1 ms · agent 14 s ago`. */
export function lookLine(vm: Pick<WatchedVm, 'stoppedOnPurpose'>, health: VmHealth, seen: readonly Seen[]): string {
  if (vm.stoppedOnPurpose) return 'not looked at: stopped by request';
  return [health.status, ...seen.map((one) => one.sighting.summary)].join(' · ');
}
