import type { CheckFact, Facts } from './facts.ts';

/**
 * Whether the VM is well again: healthy, by looks that *began* after the last remedy was done. A check that can't tell
 * (`unknown`) neither proves nor disproves it.
 */
export function hasRecovered(facts: Pick<Facts, 'status' | 'checks' | 'lastRemedyDoneAtMs'>): boolean {
  if (facts.status !== 'healthy') return false;
  const doneAtMs = facts.lastRemedyDoneAtMs;
  if (doneAtMs === null) return true;
  return facts.checks.every((check) => check.status === 'unknown' || lookedSince(check, doneAtMs));
}

function lookedSince(check: CheckFact, doneAtMs: number): boolean {
  return check.lastCheckAtMs !== null && check.lastCheckAtMs > doneAtMs;
}

/** A VM nobody has looked at for three intervals and a timeout is not watched, and what we know of it is old. */
export function watchLimitMs(checks: readonly { intervalMs: number; timeoutMs: number }[]): number {
  return Math.max(0, ...checks.map((check) => 3 * check.intervalMs + check.timeoutMs));
}
