import { defineQuery, defineSignal, defineUpdate, type SignalDefinition } from '@temporalio/workflow';
import type { CarriedOutRemedy } from '../domain/heal-ending.ts';
import type { ProviderCall } from '../domain/provider-call.ts';

/**
 * What people, the API and workflows say to workflows: each message with its name, its type and its description, for
 * senders and handlers alike. All of them work from the temporal CLI too, e.g.
 * `temporal workflow signal -w vm/<id> --name lookNow`.
 */

/** Type names of the workflows, as the Web UI shows them. */
export const WORKFLOW = {
  vmHealth: 'vmHealth',
  healVm: 'healVm',
  providerCall: 'providerCall',
  retain: 'retain',
  reconcile: 'reconcile',
} as const;

/** A signal, and what `temporal workflow metadata` and the Web UI say of it. */
export type DescribedSignal<Args extends unknown[] = unknown[]> = SignalDefinition<Args> & { description: string };

function signal<Args extends unknown[] = []>(name: string, description: string): DescribedSignal<Args> {
  return Object.assign(defineSignal<Args>(name), { description });
}

/** Signals of workflow `vm/<vmId>`. */
export const vmSignals = {
  settingsChanged: signal<[SettingsChanged]>('settingsChanged', 'settings were committed at this version'),
  lookNow: signal('lookNow', 'look at every enabled check at once'),
  pause: signal<[PauseRequest?]>(
    'pause',
    'look no more and heal no more until resumed; the pause is stored, as one by the API is',
  ),
  resume: signal('resume', 'end a pause'),
  retire: signal('retire', 'the VM was deleted: end'),
  attemptsReset: signal('attemptsReset', 'a person has set the heal attempts to 0: a held heal decides again'),
  renew: signal('renew', 'continue as new now, e.g. to move to new code'),
  watchClosely: signal<[WatchClosely]>('watchClosely', 'from the heal: look every few seconds until then'),
  healEnded: signal<[HealEnded]>('healEnded', 'from the heal: it is over'),
} as const;

/** `watchClosely` by its name before 0.2: recorded histories and heals that still run older code send it. */
export const closeUp = signal<[WatchClosely]>('closeUp', 'the name of watchClosely before 0.2');

/** Queries of workflow `vm/<vmId>`. */
export const vmQueries = {
  state: Object.assign(defineQuery<VmView>('state'), {
    description: 'status, open incident and pause, as of the last news',
  }),
} as const;

/** Updates of workflow `vm/<vmId>`. */
export const vmUpdates = {
  look: Object.assign(defineUpdate<LookedNow>('look'), {
    description: 'look at every enabled check at once, and answer what was seen',
  }),
} as const;

/** Signals of workflow `heal/<vmId>/<incident>`. */
export const healSignals = {
  news: signal<[HealNews]>('news', 'something it waits for may have happened: it decides again'),
} as const;

export interface SettingsChanged {
  version: number;
  site: string;
  /** Whether an interval got shorter or a check was added: only then is a pending look cancelled. */
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
  /** As whoever started it knew it; later the news says it. Absent in inputs of 0.1. */
  name?: string;
  carried?: CarriedVm;
}

/** What a run needs to know from the run before it, to go on as if nothing had happened. */
export interface CarriedVm {
  /** The last health transition that was delivered to this workflow. */
  deliveredSeq: number;
  status: string;
  /** When the news of it came, epoch ms; null = not known. */
  statusSinceMs: number | null;
  line: string;
  /** The open incident; its heal is workflow heal/<vmId>/<incident>. */
  incident: number | null;
  /** Why it is paused; null = it is not. */
  paused: string | null;
  /** A pause, or its end, that was signalled and is not stored yet. */
  pauseToStore: 'paused' | 'resumed' | null;
  settingsVersion: number;
  /** Until then looks come every few seconds; epoch ms. */
  watchCloselyUntilMs: number | null;
  /** A look at every check was requested and has not answered yet. */
  lookNow: boolean;
  /** As the last news described it; null before the first. */
  described: DescribedVm | null;
}

/** A VM as people know it, for the Web UI and for searching. */
export interface DescribedVm {
  name: string;
  tenantId: string;
  provider: string;
  host: string | null;
}

/** Input of workflow `heal/<vmId>/<incident>`. */
export interface HealInput {
  vmId: string;
  tenantId: string;
  site: string;
  incident: number;
  /** From the run before, when it continued as new; heals of 0.1 rested while signals said that their VM was paused. */
  paused?: boolean;
  /** The remedy that is being judged, from the run before. */
  verifying?: Verifying;
  /** Of its VM. Absent in inputs of 0.1. */
  name?: string;
  /** From the run before: when the heal began, epoch ms, and its last remedy. */
  beganAtMs?: number;
  remedy?: CarriedOutRemedy | null;
}

/** A remedy that was carried out, until it is known whether it helped. */
export interface Verifying {
  operationId: string;
  verifyMs: number;
  /** When its window ends, epoch ms. */
  untilMs: number;
}

/** Input of workflow `provider-call/<uuid>`. */
export interface ProviderCallInput {
  site: string;
  call: ProviderCall;
}
