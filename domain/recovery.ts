import { conclusionHoldsMs } from './conclusive.ts';
import type { CheckFact, Facts } from './facts.ts';
import { type HealthStatus, worstOf } from './health.ts';

/**
 * Whether the VM is well again: its checks about being alive are healthy, by conclusive looks that *began* after the last
 * remedy was done. A check whose looks since then were all inconclusive is left out, unless it was ill before. At least one
 * must have been conclusive: missing data is no recovery.
 */
export function hasRecovered({ checks, lastRemedyDoneAtMs }: Pick<Facts, 'checks' | 'lastRemedyDoneAtMs'>): boolean {
  if (aliveStatus(checks) !== 'healthy') return false;
  if (lastRemedyDoneAtMs === null) return true;
  const known = checks.filter((check) => check.about === 'alive' && check.status !== 'unknown');
  const conclusive = known.filter((check) => lookedSince(check, lastRemedyDoneAtMs));
  const inconclusive = known.filter(
    (check) => !conclusive.includes(check) && (check.lastDueAtMs ?? 0) > lastRemedyDoneAtMs,
  );
  return conclusive.length > 0 && conclusive.length + inconclusive.length === known.length;
}

/** The worst status of the checks that are about being alive; checks about load are left out. */
export function aliveStatus(checks: readonly Pick<CheckFact, 'about' | 'status'>[]): HealthStatus {
  return worstOf(checks.filter(({ about }) => about === 'alive').map(({ status }) => status));
}

/** Whether a conclusive look began after that instant. */
export function lookedSince(check: CheckFact, doneAtMs: number): boolean {
  return (check.lastCheckAtMs ?? 0) > doneAtMs;
}

/**
 * A VM nobody has looked at for three intervals and a timeout of its most frequent check is not watched. In ms; 0 without
 * checks.
 */
export function watchLimitMs(checks: readonly { intervalMs: number; timeoutMs: number }[]): number {
  return checks.length === 0 ? 0 : Math.min(...checks.map(conclusionHoldsMs));
}
