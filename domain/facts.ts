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
  /** From the first to the last of them; null = not known. */
  failingForMs: number | null;
  reason: string;
  message: string | null;
  /** The tick of the last look, conclusive or not, epoch ms. */
  lastDueAtMs: number | null;
  /** When the last conclusive look began, epoch ms. */
  lastCheckAtMs: number | null;
  /** When the last healthy look began; null = not since the check began anew, as at a start of the VM. */
  lastHealthyAtMs: number | null;
  /** When it first succeeded with its present aim; null = never. */
  provenAtMs: number | null;
  /** Whether an administrator made its failures count as evidence although it is not proven. */
  trusted: boolean;
  intervalMs: number;
  timeoutMs: number;
}

/** A remedy carried out earlier on this VM, by any incident. */
export interface AttemptFact {
  atMs: number;
  escalation: boolean;
}

/** What the hypervisor just answered. */
export type ProviderFact =
  | { answered: true; power: PowerState; detail: string }
  | { answered: false; reason: string; message: string };

/** The last remedies in a row that are known not to have been sent. */
export interface NotSentFact {
  /** How many could not be sent; those that were no longer wanted are not counted. */
  count: number;
  /** When the last one ended, counted or not. */
  lastAtMs: number;
  /** Why it was not sent, from the hypervisor or the sender. */
  lastDetail: string;
}

/**
 * Everything a decision about an ill VM is made from, gathered at once and stored with the decision, so that "why" and "why
 * not" can be answered later. Times in epoch ms.
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
  /** When it was last started on purpose, by a person or a heal; null = never. */
  startedAtMs: number | null;
  /** How long it may take to boot then. */
  bootGraceMs: number;
  status: HealthStatus;
  /** Of the check about being alive that has failed most often in a row. */
  consecutiveFailures: number;
  checks: CheckFact[];
  /** When the VM was last looked at, conclusively or not. */
  lastLookAtMs: number | null;
  /** Attempts since the policy's window began or the attempts were reset, oldest first; never-sent ones don't count. */
  attempts: AttemptFact[];
  /** When the last remedy was done, by any incident; looks that began earlier say nothing about it. */
  lastRemedyDoneAtMs: number | null;
  notSent: NotSentFact | null;
  /** How often this incident's last remedies in a row were resumes for failed storage. */
  resumesInVain: { count: number; lastAtMs: number } | null;
  provider: ProviderFact;
  /** The state that the hypervisor names, and since when; null before its first answer. */
  powerReading: PowerReading | null;
  /** For how long a VM may be paused at its hypervisor before that counts as a fault. */
  pausedGraceMs: number;
  providerSupports: PowerAction[];
  settingsVersion: number;
  policyRevision: number;
  /** By the database's clock. */
  gatheredAtMs: number;
}
