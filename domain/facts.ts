import type { CheckTraits } from './check-traits.ts';
import type { HealthStatus } from './health.ts';
import type { PowerAction, PowerReading, PowerState } from './power.ts';

/** One enabled check of the ill VM. */
export interface CheckFact extends CheckTraits {
  checkId: string;
  checkType: string;
  /** '' for the check that is addressed by its type alone. */
  name: string;
  status: HealthStatus;
  consecutiveFailures: number;
  reason: string;
  message: string | null;
  /** The tick of the last look, conclusive or not, epoch ms. */
  lastDueAtMs: number | null;
  /** When the last conclusive look began, epoch ms. */
  lastCheckAtMs: number | null;
  /** When the last healthy look began; null = not since the check began anew, as at a start of the VM. */
  lastHealthyAtMs: number | null;
  /** When it was first seen to succeed with the aim that it has; null = never. */
  provenAtMs: number | null;
  /** An administrator says that its failures are evidence all the same. */
  trusted: boolean;
  intervalMs: number;
  timeoutMs: number;
}

/** A remedy carried out earlier on this VM, by any incident. */
export interface AttemptFact {
  atMs: number;
  escalation: boolean;
}

/** What the hypervisor said when it was asked just now. */
export type ProviderFact =
  | { answered: true; power: PowerState; detail: string }
  | { answered: false; reason: string; message: string };

/** Tries in a row of which it is known that nothing was sent, since attempts count. */
export interface NotSentFact {
  /** Those that could not be sent; what wasn't wanted any more by then is not among them. */
  count: number;
  /** When the last of all ended. */
  lastAtMs: number;
  /** What was said then, by the hypervisor or by whoever was to send. */
  lastDetail: string;
}

/**
 * Everything a decision about an ill VM is made from, gathered in one go and frozen beside the decision, so that "why"
 * and "why not" can be answered later. Times in epoch ms.
 */
export interface Facts {
  vmId: string;
  incident: number;
  deleted: boolean;
  stoppedOnPurpose: boolean;
  /** Paused by a person: nobody looks at it or heals it. */
  paused: { reason: string; by: string } | null;
  /** Whether it is to be started when it is off and nobody stopped it on purpose. */
  keepRunning: boolean;
  /** When it was last started by request; null = never. */
  startedAtMs: number | null;
  /** How long it may take to boot then. */
  bootGraceMs: number;
  status: HealthStatus;
  /** Of the worst check that is about being alive. */
  consecutiveFailures: number;
  checks: CheckFact[];
  /** When a look last said anything about this VM, `unknown` included. */
  lastLookAtMs: number | null;
  /** Attempts since the policy's window began or the attempts were reset, oldest first; never-sent ones don't count. */
  attempts: AttemptFact[];
  /** When the last remedy was done, by any incident; looks that began earlier say nothing about it. */
  lastRemedyDoneAtMs: number | null;
  notSent: NotSentFact | null;
  /** How often this incident's last remedies in a row were resumes for failed storage. */
  resumesInVain: { count: number; lastAtMs: number } | null;
  provider: ProviderFact;
  /** As every answer of the hypervisor since then named it; null before its first answer. */
  powerReading: PowerReading | null;
  /** For how long a VM may be paused at its hypervisor before that counts as a fault. */
  pausedGraceMs: number;
  providerSupports: PowerAction[];
  settingsVersion: number;
  policyRevision: number;
  /** By the database's clock. */
  gatheredAtMs: number;
}
