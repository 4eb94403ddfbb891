import type { CheckTraits } from './check-traits.ts';
import { believable } from './grid.ts';

/** A conclusion holds for this many intervals of its check, and a timeout. */
export const HOLDS_INTERVALS = 3;

/** How long a check's conclusion holds, in ms: three of its intervals and a timeout. */
export function conclusionHoldsMs({ intervalMs, timeoutMs }: { intervalMs: number; timeoutMs: number }): number {
  return HOLDS_INTERVALS * intervalMs + timeoutMs;
}

/** A check as far as its last conclusion goes. */
export interface ConcludedCheck extends Pick<CheckTraits, 'about'> {
  intervalMs: number;
  timeoutMs: number;
  state: { lastCheckAtMs: number | null };
}

/**
 * Until when what a VM's checks last concluded holds, epoch ms; null = none has been conclusive. Whether a VM is alive is for the
 * checks about that to say, where it has any.
 */
export function conclusiveUntil(checks: readonly ConcludedCheck[], nowMs: number): number | null {
  const alive = checks.filter(({ about }) => about === 'alive');
  const holding = (alive.length > 0 ? alive : checks).flatMap((check) => {
    const lastCheckAtMs = believable(check.state.lastCheckAtMs, nowMs);
    return lastCheckAtMs === null ? [] : [lastCheckAtMs + conclusionHoldsMs(check)];
  });
  return holding.length === 0 ? null : Math.max(...holding);
}
