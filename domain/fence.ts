/**
 * What a decision to act was made from, as far as it must still be so when the action is sent. Times by the database's
 * clock, epoch ms.
 */
export interface Fence {
  settingsVersion: number;
  policyRevision: number;
  /** The checks whose failures counted, and how many in a row each had. */
  checks: { checkId: string; consecutiveFailures: number }[];
  /** The VM's state at its hypervisor. */
  powerState: string;
  /** When the facts were gathered. */
  factsAtMs: number;
}
