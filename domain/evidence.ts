import { failingForMs } from './check-state.ts';
import type { Remedy } from './choose-remedy.ts';
import type { CheckFact, Facts } from './facts.ts';
import { type FailuresInARow, type Policy, triggers } from './policy.ts';
import type { WatchedCheck } from './watched.ts';

/** The checks that trigger the policy: about being alive, and failing as often in a row, and for as long, as it asks for. */
export function failingIn<Check extends Pick<CheckFact, 'about'> & FailuresInARow>(
  { checks }: { checks: readonly Check[] },
  policy: Policy,
): Check[] {
  return checks.filter((check) => check.about === 'alive' && triggers(policy, check));
}

/** The failures in a row of a check that is watched. */
export function failuresOf({ about, intervalMs, state }: WatchedCheck): Pick<CheckFact, 'about'> & FailuresInARow {
  return { about, intervalMs, consecutiveFailures: state.consecutiveFailures, failingForMs: failingForMs(state) };
}

/** Those of them that are evidence for a power action: proven, or trusted by an administrator. */
export function evidenceIn(facts: Pick<Facts, 'checks'>, policy: Policy): CheckFact[] {
  return failingIn(facts, policy).filter(isProven);
}

/** A check that has never succeeded may have the wrong aim: that it fails says nothing about the VM. */
export function isProven({ provenAtMs, trusted }: Pick<CheckFact, 'provenAtMs' | 'trusted'>): boolean {
  return provenAtMs !== null || trusted;
}

/**
 * Whether a remedy acts on the VM's power because checks fail. What the hypervisor says of the VM needs no checks as evidence.
 */
export function restsOnChecks(remedy: Remedy): boolean {
  return remedy.kind === 'power' && remedy.cause === 'unresponsive';
}
