import type { LookInput } from '../activities/contract.ts';
import type { CarriedVm, DescribedVm, LookedNow, VmHealthInput, VmView } from './messages.ts';

/** What `vmHealth` holds of its VM. Plain state; handlers only record in it, the main loop acts on it. */
export interface VmState {
  readonly vmId: string;
  readonly tenantId: string;
  site: string;
  status: string;
  line: string;
  deliveredSeq: number;
  settingsVersion: number;
  /** The open incident; its heal is workflow heal/<vmId>/<incident>. */
  incident: number | null;
  paused: string | null;
  watchCloselyUntilMs: number | null;
  lookNow: boolean;
  /** As the last news described it; null before the first. */
  described: DescribedVm | null;
  /** How many looks asked for by `lookNow` or `look` have answered; update handlers wait for it to grow. */
  looksAnswered: number;
  lookLimitMs: number;
  /** The pending look asks for the wrong thing: end it and ask again. */
  cutShort: boolean;
  /** When a look found no such VM. */
  missingSinceMs: number | null;
  retired: boolean;
  renew: boolean;
}

/** Longest check timeout by default (10 s), the writer's limit (2 s) and a margin. */
const FIRST_LOOK_LIMIT_MS = 20_000;

export function initialState(input: VmHealthInput): VmState {
  const carried = input.carried;
  return {
    vmId: input.vmId,
    tenantId: input.tenantId,
    site: input.site,
    status: carried?.status ?? 'unknown',
    line: carried?.line ?? 'not looked at yet',
    deliveredSeq: carried?.deliveredSeq ?? 0,
    settingsVersion: carried?.settingsVersion ?? 0,
    incident: carried?.incident ?? null,
    paused: carried?.paused ?? null,
    watchCloselyUntilMs: carried?.watchCloselyUntilMs ?? null,
    lookNow: carried?.lookNow ?? false,
    described: carried?.described ?? null,
    looksAnswered: 0,
    lookLimitMs: FIRST_LOOK_LIMIT_MS,
    cutShort: false,
    missingSinceMs: null,
    retired: false,
    renew: false,
  };
}

/** What the next run needs to go on as if nothing had happened. */
export function carriedFrom(vm: VmState): VmHealthInput {
  const { deliveredSeq, status, line, incident, paused, settingsVersion, watchCloselyUntilMs, lookNow, described } = vm;
  const carried: CarriedVm = {
    deliveredSeq,
    status,
    line,
    incident,
    paused,
    settingsVersion,
    watchCloselyUntilMs,
    lookNow,
    described,
  };
  return { vmId: vm.vmId, tenantId: vm.tenantId, site: vm.site, carried };
}

export function viewOf(vm: VmState): VmView {
  const { vmId, site, status, line, incident, paused, settingsVersion } = vm;
  return { vmId, site, status, line, incident, paused, settingsVersion };
}

export function lookedNow(vm: VmState): LookedNow {
  return { status: vm.status, line: vm.line };
}

export function lookInputOf(vm: VmState): LookInput {
  return {
    vmId: vm.vmId,
    deliveredSeq: vm.deliveredSeq,
    settingsVersion: vm.settingsVersion,
    healOpen: vm.incident !== null,
    watchCloselyUntilMs: vm.watchCloselyUntilMs,
    now: vm.lookNow,
  };
}
