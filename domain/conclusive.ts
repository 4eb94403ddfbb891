import type { CheckTraits } from './check-traits.ts';
import { plausibleTime } from './grid.ts';

/** A conclusive result holds for this many intervals of its check, and a timeout. */
export const HOLDS_INTERVALS = 3;

/** How long a conclusive result of a check holds, in ms: three of its intervals and a timeout. */
export function conclusionHoldsMs({ intervalMs, timeoutMs }: { intervalMs: number; timeoutMs: number }): number {
  return HOLDS_INTERVALS * intervalMs + timeoutMs;
}

/** A check, and when its last conclusive probe began. */
export interface ConcludedCheck extends Pick<CheckTraits, 'about'> {
  intervalMs: number;
  timeoutMs: number;
  state: { lastCheckAtMs: number | null };
}

/**
 * Until when the last conclusive results of a VM's checks hold, epoch ms; null = none has been conclusive. Where a VM has
 * checks about being alive, only those count.
 */
export function conclusiveUntil(checks: readonly ConcludedCheck[], nowMs: number): number | null {
  const alive = checks.filter(({ about }) => about === 'alive');
  const holding = (alive.length > 0 ? alive : checks).flatMap((check) => {
    const lastCheckAtMs = plausibleTime(check.state.lastCheckAtMs, nowMs);
    return lastCheckAtMs === null ? [] : [lastCheckAtMs + conclusionHoldsMs(check)];
  });
  return holding.length === 0 ? null : Math.max(...holding);
}
