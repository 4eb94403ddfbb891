/**
 * Due times lie on a fixed grid per VM, so that VMs spread over the interval and no drift builds up. All checks of a VM
 * share one phase: intervals that divide each other meet in the same look.
 */

/** FNV-1a, 32 bit (http://www.isthe.com/chongo/tech/comp/fnv/): spreads ids evenly and is the same everywhere. */
export function phaseOf(vmId: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < vmId.length; i++) hash = Math.imul(hash ^ vmId.charCodeAt(i), 0x01000193) >>> 0;
  return hash;
}

/** The last grid point at or before `nowMs`, epoch ms. */
export function tickAtOrBefore(vmId: string, intervalMs: number, nowMs: number): number {
  const phase = phaseOf(vmId) % intervalMs;
  return Math.floor((nowMs - phase) / intervalMs) * intervalMs + phase;
}

/** The first grid point after `nowMs`, epoch ms. */
export function tickAfter(vmId: string, intervalMs: number, nowMs: number): number {
  return tickAtOrBefore(vmId, intervalMs, nowMs) + intervalMs;
}

/** The pace of looks at a VM that is watched closely, for checks that are not looked at more often anyway. */
export const WATCH_CLOSELY_MS = 5_000;

/** After missed ticks, one late by more than this share of its interval is left out: looks restart spread out. */
const LATE_SHARE = 0.1;
const LATE_FLOOR_MS = 2_000;

/** What decides whether a check is due; times in epoch ms. */
export interface DueInput {
  vmId: string;
  intervalMs: number;
  /** The last tick that was folded; null when never looked. */
  lastDueAtMs: number | null;
}

/** A stored time that is further in the future than this is from a clock that was wrong, or was set back since. */
export const MAX_AHEAD_MS = 60_000;

/**
 * A stored time, or null when it is too far in the future: a VM whose worker's clock once was a day ahead would not be looked
 * at for a day.
 */
export function plausibleTime(storedAtMs: number | null, nowMs: number): number | null {
  return storedAtMs !== null && storedAtMs - nowMs > MAX_AHEAD_MS ? null : storedAtMs;
}

/**
 * The tick to look for now, or null when nothing is due. A check never looked at is due at once. The tick after the last one is
 * looked at however late it is: under load, looks come late rather than not at all.
 */
export function dueTick({ vmId, intervalMs, lastDueAtMs }: DueInput, nowMs: number): number | null {
  const tick = tickAtOrBefore(vmId, intervalMs, nowMs);
  const last = plausibleTime(lastDueAtMs, nowMs);
  if (last === null) return tick;
  if (tick <= last) return null;
  const missedSome = tick - last > intervalMs;
  const late = nowMs - tick > Math.max(LATE_FLOOR_MS, intervalMs * LATE_SHARE);
  return missedSome && late ? null : tick;
}

/** Milliseconds from now to the next tick of any of the checks; never less than 1 (0 would end a Temporal activity). */
export function msToNextTick(vmId: string, intervalsMs: Iterable<number>, nowMs: number): number {
  let nextAtMs = Number.POSITIVE_INFINITY;
  for (const intervalMs of intervalsMs) nextAtMs = Math.min(nextAtMs, tickAfter(vmId, intervalMs, nowMs));
  return Math.max(1, nextAtMs - nowMs);
}
