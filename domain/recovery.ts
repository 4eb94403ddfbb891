import type { CheckFact, Facts } from './facts.ts';

/**
 * Whether the VM is well again: healthy, by looks that *began* after the last remedy was done. A check without a
 * conclusion (`unknown`) neither proves nor disproves it, but one at least must have one: missing data is no recovery.
 */
export function hasRecovered(facts: Pick<Facts, 'status' | 'checks' | 'lastRemedyDoneAtMs'>): boolean {
  if (facts.status !== 'healthy') return false;
  const doneAtMs = facts.lastRemedyDoneAtMs;
  if (doneAtMs === null) return true;
  const conclusive = facts.checks.filter((check) => check.status !== 'unknown');
  return conclusive.length > 0 && conclusive.every((check) => lookedSince(check, doneAtMs));
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
  return checks.length === 0 ? 0 : Math.min(...checks.map((check) => 3 * check.intervalMs + check.timeoutMs));
}
