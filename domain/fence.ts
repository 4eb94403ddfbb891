import type { Facts } from './facts.ts';
import type { PowerState } from './power.ts';

/**
 * What must still be true when an action is sent, of the facts that it was decided from. Times by the database's clock, epoch
 * ms.
 */
export interface Fence {
  settingsVersion: number;
  policyRevision: number;
  /** The checks whose failures counted, and how many in a row each had. */
  checks: { checkId: string; consecutiveFailures: number }[];
  /** The VM's state at its hypervisor. */
  powerState: PowerState;
  /** When the facts were gathered. */
  factsAtMs: number;
}

/** The same when the action is about to be sent, read under locks. */
export interface SendingFacts {
  deleted: boolean;
  paused: boolean;
  stoppedOnPurpose: boolean;
  settingsVersion: number;
  policyRevision: number;
  incidentOpen: boolean;
  /** Whether another operation was sent to this VM since this one was decided. */
  otherOperationSent: boolean;
  failures: ReadonlyMap<string, number>;
  /** As read on the connection by which it would be sent. */
  powerState: PowerState;
  /** By the database's clock, once the locks were held. */
  nowMs: number;
}

/** On older facts nothing is sent: the heal decides again. */
const MAX_FACTS_AGE_MS = 20_000;

/** The fence of a decision that was made from these facts. */
export function fenceOf(facts: Facts): Fence {
  const { settingsVersion, policyRevision, checks, provider, gatheredAtMs } = facts;
  return {
    settingsVersion,
    policyRevision,
    checks: checks
      .filter(({ consecutiveFailures }) => consecutiveFailures > 0)
      .map(({ checkId, consecutiveFailures }) => ({ checkId, consecutiveFailures })),
    powerState: provider.answered ? provider.power : 'unknown',
    factsAtMs: gatheredAtMs,
  };
}

/** Why an action is not wanted any more, as the end of "not sent: …"; null while it may be sent. */
export function whyNotSent(fence: Fence, now: SendingFacts): string | null {
  if (now.deleted) return 'the VM was deleted';
  if (now.paused) return 'the VM was paused';
  if (now.stoppedOnPurpose) return 'the VM was stopped on purpose';
  if (now.settingsVersion !== fence.settingsVersion) return 'the settings of the VM were changed';
  if (now.policyRevision !== fence.policyRevision) return 'a policy was changed';
  if (!now.incidentOpen) return 'the incident was closed';
  if (now.otherOperationSent) return 'another operation was sent to the VM';
  const better = fence.checks.find(
    ({ checkId, consecutiveFailures }) => (now.failures.get(checkId) ?? 0) < consecutiveFailures,
  );
  if (better !== undefined) return 'a check that counted has passed since';
  if (now.powerState !== fence.powerState) {
    return `its hypervisor says ${now.powerState} now, and said ${fence.powerState}`;
  }
  const ageMs = now.nowMs - fence.factsAtMs;
  if (ageMs < 0 || ageMs > MAX_FACTS_AGE_MS) return `its facts were ${Math.round(ageMs / 1000)} s old`;
  return null;
}
