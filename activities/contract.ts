/**
 * What workflows may ask of the world. Everything here passes through Temporal's histories: ids and statuses, never secrets or
 * response bodies. It only grows: activities of a newer worker understand what an older workflow asks for. Answers begin with their
 * sentence: the Web UI's event list shows the first words of each.
 */
import type { ProviderFact } from '../domain/facts.ts';
import type { ReadBack } from '../domain/power.ts';
import type { ProviderCall, ProviderCallAnswer } from '../domain/provider-call.ts';

/** Asks for looks at one VM until there is news. */
export interface LookInput {
  vmId: string;
  /** The last transition the workflow has acted on; another one is news. */
  deliveredSeq: number;
  /** Looks wait for settings at least this new. */
  settingsVersion: number;
  /** Whether a heal is open already; if not, a VM that a policy wants healed is news. */
  healOpen: boolean;
  /** Until then looks come every few seconds (a verify window); epoch ms. */
  watchCloselyUntilMs: number | null;
  /** Probe every enabled check at once, and return what was found, news or not. */
  now: boolean;
  /** Whether the VM is paused as far as the workflow knows; a difference is news. Workflows of 0.1 leave it out. */
  paused?: boolean;
  /** The VM's name as the workflow shows it, null before it knows one; another one is news. Workflows of 0.1 leave it out. */
  name?: string | null;
}

/** What a look found that its workflow does not know yet. */
export type LookNews =
  | {
      kind: 'health';
      seq: number;
      status: string;
      line: string;
      healWanted: boolean;
      vm: { name: string; tenantId: string; provider: string; host: string | null };
    }
  /** A person paused it. */
  | { kind: 'paused'; reason: string }
  /** The requested settings never appeared, as after a restore of the database; it holds those of this version. */
  | { kind: 'settings-lost'; version: number }
  /** Its probes may take longer than this activity may: schedule it again with this limit. */
  | { kind: 'needs-time'; lookLimitMs: number }
  /** No such VM; a deleted one is gone for good, a missing one may be committed in a moment. */
  | { kind: 'gone'; deleted: boolean };

export interface WatchActivities {
  /**
   * Looks at a VM. Returns when there is news; else fails as `Steady`, and Temporal's retry is the next look. Heartbeats only
   * to keep what could not be stored.
   */
  watch(input: LookInput): Promise<LookNews>;
}

export interface PauseActivities {
  /** Stores a pause (or, with no reason, its end) that was signalled to the VM's workflow rather than asked of the API. */
  storePause(input: { vmId: string; tenantId: string; reason: string | null }): Promise<void>;
}

export interface IncidentKey {
  vmId: string;
  incident: number;
}

export type HealDecision =
  /**
   * `site`: where it is sent from; absent or null = anywhere. `power`: what is sent, null = people are notified. Decisions of 0.1
   * say neither `power` nor `attempt`.
   */
  | {
      kind: 'act';
      operationId: string;
      action: string;
      verifyMs: number;
      line: string;
      site?: string | null;
      power?: string | null;
      attempt?: number;
    }
  | { kind: 'hold'; reason: string; lookAgainInMs: number; line: string }
  /** Its provider has to be asked at that site first. */
  | { kind: 'ask'; site: string; line: string }
  /** `stop` is what versions before 0.2 said for `close`; recorded histories hold it. */
  | { kind: 'close' | 'stop'; reason: string; line: string };

/** What a VM's provider said, and the site it was asked from. */
export interface ProviderAnswer {
  line?: string;
  site: string;
  fact: ProviderFact;
}

/**
 * `sent` = in doubt. `unrecorded`: known for certain, but not stored yet; with `sent`: whoever says so sent nothing, but somebody
 * else may have.
 */
export type OperationEnd = { state: 'done' | 'abandoned' | 'sent'; detail: string; unrecorded?: true };

export interface HealActivities {
  /** Opens an incident for an ill VM, or answers the one that is open; null for a VM that is paused. */
  openIncident(input: { vmId: string }): Promise<{ line?: string; incident: number | null }>;
  /**
   * Gathers the facts and decides; records the decision and, to act, an intended operation. Without `provider`, as heals of
   * 0.1 ask, the provider is asked from where the decision is made.
   */
  decide(input: IncidentKey & { provider?: ProviderAnswer }): Promise<HealDecision>;
  /** Ends the doubt about an operation without ever sending it, by what its sender or the hypervisor says. */
  resolveOperation(input: {
    operationId: string;
    end?: OperationEnd;
    readBack?: ReadBack | null;
  }): Promise<OperationEnd>;
  /**
   * Whether the operation is settled: the VM is healthy by looks begun after it, or nobody wants it healed any more. With
   * `windowOver` the attempt is closed either way. `paused`: nobody looks now, so nothing was judged. `lookAgainInMs`: what it waits
   * for (the end of a pause, or the look that proves it healthy) may bring no news, so ask again after this time. `helped`: it is
   * healthy by looks that were begun after the operation.
   */
  verify(
    input: IncidentKey & { operationId: string; windowOver: boolean },
  ): Promise<{ line: string; settled: boolean; helped?: true; paused?: true; lookAgainInMs?: number }>;
}

/** What runs on the workers of a provider's site, which can reach it. */
export interface ProviderActivities {
  /** Asks a VM's provider how the VM is. */
  askProvider(input: { vmId: string }): Promise<ProviderAnswer>;
  /** Sends an intended operation, at most once ever. In doubt or unrecorded: ask `resolveOperation`. */
  carryOut(input: { operationId: string }): Promise<OperationEnd>;
  /** What the hypervisor says of an operation that may have been sent; fails while it may still be sent. */
  readBack(input: { operationId: string }): Promise<ReadBack | null>;
  /** Whether an instance can be reached, or how a user's reference to a VM there is stored. */
  callProvider(input: ProviderCall): Promise<ProviderCallAnswer>;
}

/** Everything that workflows ask for. */
export type Activities = WatchActivities & PauseActivities & HealActivities & ProviderActivities & UpkeepActivities;

export interface UpkeepActivities {
  /** Drops and deletes what is older than the retention settings; makes the partitions of the coming days. */
  applyRetention(): Promise<{ line: string }>;
  /**
   * Finds what Postgres and Temporal disagree about, and repairs it. With `everyMs` it returns only when it has repaired
   * something; else it fails as `Steady`, and Temporal's retry is the next time, so long after the beginning of this one.
   */
  reconcile(input?: { everyMs: number }): Promise<{ line: string; mended: number }>;
}
