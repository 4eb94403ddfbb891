/**
 * What workflows may ask of the world: types only, so that workflow bundles stay free of Node. Everything here passes
 * through Temporal's histories: ids and verdicts, never secrets or response bodies.
 */

/** Asks for looks at one VM until there is news. */
export interface LookInput {
  vmId: string;
  /** The last transition the workflow has acted on; a later one is news. */
  deliveredSeq: number;
  /** Looks wait for settings at least this new. */
  settingsVersion: number;
  /** Whether a heal is open already; if not, a VM that a policy wants healed is news. */
  healOpen: boolean;
  /** Until then looks come every few seconds (a verify window); epoch ms. */
  watchCloselyUntilMs: number | null;
  /** Look at every enabled check at once, and return whatever was seen. */
  now: boolean;
}

/** What a look has to tell. */
export type LookNews =
  | {
      kind: 'health';
      seq: number;
      status: string;
      line: string;
      healWanted: boolean;
      vm: { name: string; tenantId: string; provider: string; host: string | null };
    }
  /** Its probes may take longer than this activity may: schedule it again with this limit. */
  | { kind: 'needs-time'; lookLimitMs: number }
  /** No such VM; a deleted one is gone for good, a missing one may be committed in a moment. */
  | { kind: 'gone'; deleted: boolean };

export interface WatchActivities {
  /**
   * Looks at a VM. Returns when there is news; else fails as `Steady`, and Temporal's retry is the next look. Never
   * heartbeats except to carry what could not be stored.
   */
  watch(input: LookInput): Promise<LookNews>;
}

export interface IncidentKey {
  vmId: string;
  incident: number;
}

export type HealDecision =
  | { kind: 'act'; operationId: string; action: string; verifyMs: number; line: string }
  | { kind: 'hold'; reason: string; lookAgainInMs: number; line: string }
  /** `stop` is what versions before 0.2 said for `close`; recorded histories hold it. */
  | { kind: 'close' | 'stop'; reason: string; line: string };

export type OperationEnd = { state: 'done' | 'abandoned' | 'sent'; detail: string };

export interface HealActivities {
  /** Opens an incident for an ill VM, or answers the one that is open. */
  openIncident(input: { vmId: string }): Promise<{ incident: number }>;
  /** Gathers the facts, decides, records the decision and, to act, an intended operation: one transaction. */
  decide(input: IncidentKey): Promise<HealDecision>;
  /** Sends an intended operation, at most once ever. `sent` = in doubt: ask `resolveOperation`. */
  carryOut(input: { operationId: string }): Promise<OperationEnd>;
  /** Ends the doubt about an operation without ever sending it. */
  resolveOperation(input: { operationId: string }): Promise<OperationEnd>;
  /**
   * Whether the operation is settled: the VM is healthy by looks begun after it, or nobody wants it healed any more. With
   * `windowOver` the attempt is closed either way. `lookAgainInMs`: healthy already, but by looks that began too early;
   * no change will tell of the ones that prove it.
   */
  verify(
    input: IncidentKey & { operationId: string; windowOver: boolean },
  ): Promise<{ settled: boolean; lookAgainInMs?: number; line: string }>;
}

export interface UpkeepActivities {
  /** Drops and deletes what is older than the retention settings; makes the partitions of the coming days. */
  applyRetention(): Promise<{ line: string }>;
  /** Finds what Postgres and Temporal disagree about, and mends it. */
  reconcile(): Promise<{ line: string; mended: number }>;
}

/** Failure type of a look without news. */
export const STEADY = 'Steady';
