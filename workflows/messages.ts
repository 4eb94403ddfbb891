/**
 * Names and types of what people and the API say to workflows. All of them work from the temporal CLI too, e.g.
 * `temporal workflow signal -w vm/<id> --name lookNow`.
 */

/** Type names of the workflows, as the Web UI shows them. */
export const WORKFLOW = {
  vmHealth: 'vmHealth',
  healVm: 'healVm',
  retain: 'retain',
  reconcile: 'reconcile',
} as const;

/** Signals of workflow `vm/<vmId>`. */
export const VM_SIGNAL = {
  /** Settings were committed at this version (`SettingsChanged`). */
  settingsChanged: 'settingsChanged',
  /** Look at every enabled check at once. */
  lookNow: 'lookNow',
  /** Stop looking and healing until `resume` (`PauseRequest`). */
  pause: 'pause',
  resume: 'resume',
  /** The VM is deleted: end the look, the heal and this workflow. */
  retire: 'retire',
  /** Its heal attempts were reset: a held heal decides again. */
  attemptsReset: 'attemptsReset',
  /** Continue as new now, e.g. to move a long-lived workflow onto new code. */
  renew: 'renew',
  /** From its heal: looks every few seconds until then (`WatchClosely`). */
  watchClosely: 'watchClosely',
  /** From its heal: it is over (`HealEnded`). */
  healEnded: 'healEnded',
} as const;

/** Queries of workflow `vm/<vmId>`. */
export const VM_QUERY = {
  /** What the workflow holds: `VmView`. */
  state: 'state',
} as const;

/** Updates of workflow `vm/<vmId>`. */
export const VM_UPDATE = {
  /** Looks at every enabled check and answers what was seen: `LookedNow`. */
  look: 'look',
} as const;

/** Signal of workflow `heal/<vmId>/<incident>`: something it waits for may have happened; it decides again. */
export const HEAL_SIGNAL = { news: 'news' } as const;

export interface SettingsChanged {
  version: number;
  site: string;
  /** Whether an interval got shorter or a check was added: only then is a pending look cut short. */
  lookSooner: boolean;
}

export interface PauseRequest {
  reason: string;
}

export interface WatchClosely {
  incident: number;
  /** Epoch ms; null ends it. */
  untilMs: number | null;
}

export interface HealEnded {
  incident: number;
}

/** Why a heal should decide again. */
export interface HealNews {
  what: 'health' | 'retired' | 'attempts-reset' | 'paused' | 'resumed';
}

/** What query `state` answers. */
export interface VmView {
  vmId: string;
  site: string;
  status: string;
  line: string;
  incident: number | null;
  paused: string | null;
  settingsVersion: number;
}

/** What update `look` answers. */
export interface LookedNow {
  status: string;
  line: string;
}

/** Input of workflow `vm/<vmId>`; `carried` comes from the run before, when it continued as new. */
export interface VmHealthInput {
  vmId: string;
  tenantId: string;
  site: string;
  carried?: CarriedVm;
}

/** A VM as people know it, for the Web UI and for searching. */
export interface DescribedVm {
  name: string;
  tenantId: string;
  provider: string;
  host: string | null;
}

export interface CarriedVm {
  deliveredSeq: number;
  status: string;
  line: string;
  incident: number | null;
  paused: string | null;
  settingsVersion: number;
  watchCloselyUntilMs: number | null;
  lookNow: boolean;
  described: DescribedVm | null;
}

/** Input of workflow `heal/<vmId>/<incident>`. */
export interface HealInput {
  vmId: string;
  tenantId: string;
  site: string;
  incident: number;
  /** From the run before, when it continued as new. */
  paused?: boolean;
}
