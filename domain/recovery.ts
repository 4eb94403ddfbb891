import { conclusionHoldsMs } from './conclusive.ts';
import type { CheckFact, Facts } from './facts.ts';
import { type HealthStatus, worstOf } from './health.ts';

/**
 * Whether the VM is well again: alive, by what was conclusive in looks that *began* after the last remedy was done. A check whose
 * looks since then could not tell neither proves nor disproves it, unless it was ill before. One at least must have told: missing
 * data is no recovery.
 */
export function hasRecovered({ checks, lastRemedyDoneAtMs }: Pick<Facts, 'checks' | 'lastRemedyDoneAtMs'>): boolean {
  if (aliveStatus(checks) !== 'healthy') return false;
  if (lastRemedyDoneAtMs === null) return true;
  const known = checks.filter((check) => check.about === 'alive' && check.status !== 'unknown');
  const told = known.filter((check) => lookedSince(check, lastRemedyDoneAtMs));
  const couldNotTell = known.filter((check) => !told.includes(check) && (check.lastDueAtMs ?? 0) > lastRemedyDoneAtMs);
  return told.length > 0 && told.length + couldNotTell.length === known.length;
}

/** The worst of the checks that are about being alive: load and upkeep neither keep a VM ill nor make it well. */
export function aliveStatus(checks: readonly Pick<CheckFact, 'about' | 'status'>[]): HealthStatus {
  return worstOf(checks.filter(({ about }) => about === 'alive').map(({ status }) => status));
}

/** Whether a conclusive look began after that instant. */
export function lookedSince(check: CheckFact, doneAtMs: number): boolean {
  return check.lastCheckAtMs !== null && check.lastCheckAtMs > doneAtMs;
}

/**
 * A VM nobody has looked at for three intervals and a timeout of its most frequent check is not watched, and what we know
 * of it is old. In ms; 0 without checks.
 */
export function watchLimitMs(checks: readonly { intervalMs: number; timeoutMs: number }[]): number {
  return checks.length === 0 ? 0 : Math.min(...checks.map(conclusionHoldsMs));
}
