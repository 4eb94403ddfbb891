import { isDatabaseAway } from '../db/database.ts';
import type { ListeningSpan } from '../domain/agent-staleness.ts';
import { staleAfter } from '../domain/agent-staleness.ts';
import { msToNextTick } from '../domain/grid.ts';
import { type DueCheck, type FoldedLook, foldLook, intervalIn, type LookMode, planLook } from '../domain/look.ts';
import type { CheckResult, ProbeResult } from '../domain/probe-result.ts';
import type { WatchedVm } from '../domain/watched.ts';
import type { Dependencies } from './dependencies.ts';
import { type Probe, waitForRound } from './probe-round.ts';
import type { VmReader } from './vm-reader.ts';

/** What a look is asked for, whoever schedules it. */
export interface LookRequest {
  vmId: string;
  mode(nowMs: number): LookMode;
  /** Settings older than this are waited for. */
  settingsVersion: number;
  /** The longest a check may take here, ms; null = no limit. */
  limitMs: number | null;
  /** Results of earlier looks that are not stored yet. */
  unstored: readonly CheckResult[];
}

export type LookOutcome =
  | { kind: 'looked'; vm: WatchedVm; folded: FoldedLook; results: CheckResult[] }
  /** Looked, but Postgres is away: the results have to ride along. */
  | { kind: 'not-stored'; vm: WatchedVm | null; results: CheckResult[]; unstored: CheckResult[] }
  | { kind: 'settings-behind' }
  | { kind: 'needs-time'; lookLimitMs: number }
  | { kind: 'gone'; deleted: boolean };

/** One look at one VM, stored when it resolves; the same in care and on a ward. */
export type Look = (request: LookRequest) => Promise<LookOutcome>;

const WRITE_MARGIN_MS = 5_000;
const FOLD_TRIES = 8;
/** About an hour of one check at 60 s; older results are let go first. */
const MAX_UNSTORED = 60;
const MAX_REMEMBERED = 20_000;

export function createLook(deps: Dependencies, reader: VmReader): Look {
  /** As last read or folded, so that looks go on while Postgres is away. */
  const remembered = new Map<string, WatchedVm>();
  /** Checks (by id) that are being probed by this process. */
  const probing = new Set<string>();

  return async (request) => {
    const vm = await readVm(request.vmId);
    if (vm === 'away') return { kind: 'not-stored', vm: null, results: [], unstored: [...request.unstored] };
    if (vm === null || vm.deleted) return { kind: 'gone', deleted: vm !== null };
    if (vm.settingsVersion < request.settingsVersion) return { kind: 'settings-behind' };
    const due = planLook(vm, request.mode(deps.now()), deps.now());
    const longestMs = Math.max(0, ...due.map(({ check }) => check.timeoutMs));
    if (request.limitMs !== null && longestMs + WRITE_MARGIN_MS > request.limitMs) {
      return { kind: 'needs-time', lookLimitMs: longestMs + 2 * WRITE_MARGIN_MS };
    }
    const listening = due.some(({ check }) => deps.probes.get(check.checkType)?.needs.includes('heartbeat'))
      ? await listeningNow()
      : [];
    const probes = due.filter(({ check }) => !probing.has(check.checkId)).map((one) => start(vm, one, listening));
    const { results, late } = await waitForRound(probes, (pending) => {
      const others = vm.checks.filter((check) => !pending.has(check.checkId) && !probing.has(check.checkId));
      const mode = request.mode(deps.now());
      if (mode.now || others.length === 0) return Number.POSITIVE_INFINITY;
      return msToNextTick(
        vm.vmId,
        others.map((check) => intervalIn(mode, check)),
        deps.now(),
      );
    });
    for (const slow of late) void storeLate(request.vmId, slow);
    return store(vm, results, request.unstored);
  };

  /** A probe on its way; while it is, no other look starts it again here. */
  function start(vm: WatchedVm, due: DueCheck, listening: ListeningSpan[]): Probe {
    const { checkId } = due.check;
    probing.add(checkId);
    const result = probe(vm, due, listening);
    void result.then(() => probing.delete(checkId));
    return { checkId, result };
  }

  /** What was too slow for its look is folded when it comes; the next look finds the state ahead and tells. */
  async function storeLate(vmId: string, { result }: Probe): Promise<void> {
    try {
      const late = await result;
      const vm = await readVm(vmId);
      if (vm === 'away' || vm === null || vm.deleted) return;
      await store(vm, [late], []);
    } catch (error) {
      deps.log.error({ vmId, err: error }, 'a slow probe could not be stored');
    }
  }

  async function readVm(vmId: string): Promise<WatchedVm | null | 'away'> {
    try {
      return await reader.vm(vmId);
    } catch (error) {
      if (!isDatabaseAway(error)) throw error;
      return remembered.get(vmId) ?? 'away';
    }
  }

  async function listeningNow(): Promise<ListeningSpan[]> {
    try {
      return await reader.listening();
    } catch (error) {
      if (!isDatabaseAway(error)) throw error;
      return [];
    }
  }

  async function probe(vm: WatchedVm, { check, dueAtMs }: DueCheck, listening: ListeningSpan[]): Promise<CheckResult> {
    const checkedAtMs = deps.now();
    const known = deps.probes.get(check.checkType);
    const result = known
      ? await known
          .probe({
            address: vm.address,
            target: check.target,
            timeoutMs: check.timeoutMs,
            options: check.options,
            nowMs: checkedAtMs,
            facts: {
              heartbeat: {
                lastHeartbeatAtMs: vm.lastHeartbeatAtMs,
                expectedSinceMs: check.createdAtMs,
                listening,
                staleAfterMs: staleAfter(check, vm.reportIntervalMs),
              },
            },
          })
          .catch((error: unknown) => lookFailed(check.checkType, error))
      : lookFailed(check.checkType, new Error(`Unknown check type: ${check.checkType}`));
    return { ...result, checkId: check.checkId, dueAtMs, checkedAtMs };
  }

  /** Folds onto the state as it is now: when somebody else folded meanwhile, reads again and folds again. */
  async function store(
    read: WatchedVm,
    results: CheckResult[],
    unstored: readonly CheckResult[],
  ): Promise<LookOutcome> {
    let vm = read;
    let all = [...unstored, ...results];
    for (let attempt = 0; attempt < FOLD_TRIES; attempt++) {
      const folded = foldLook(vm, all, deps.now());
      try {
        if ((await write(vm, folded)) === 'stored') {
          remember({ ...vm, ...afterFold(vm, folded) });
          return { kind: 'looked', vm, folded, results };
        }
      } catch (error) {
        if (isDatabaseAway(error)) return notStored(vm, folded, results, all);
        deps.log.error({ vmId: vm.vmId, err: error }, 'a look could not be stored');
        all = all.map((one) => ({ ...one, ...lookFailed('check', error) }));
      }
      const fresh = await readVm(vm.vmId);
      if (fresh === 'away') return notStored(vm, foldLook(vm, all, deps.now()), results, all);
      if (fresh === null || fresh.deleted) return { kind: 'gone', deleted: fresh !== null };
      vm = fresh;
    }
    throw new Error(`the state of VM ${read.vmId} kept changing while a look was stored`);
  }

  function write(vm: WatchedVm, folded: FoldedLook): Promise<'stored' | 'overtaken'> {
    const { vmId, tenantId, lookSeq, watchEpoch } = vm;
    return deps.looks.write({ vmId, tenantId, lookSeq, watchEpoch, endedAtMs: deps.now(), ...folded });
  }

  function notStored(vm: WatchedVm, folded: FoldedLook, results: CheckResult[], all: CheckResult[]): LookOutcome {
    // due times move on in memory, health doesn't: that is folded anew when the results are stored
    remember({ ...vm, checks: afterFold(vm, folded).checks.map((check, i) => dueOnly(vm, check, i)) });
    return { kind: 'not-stored', vm, results, unstored: all.slice(-MAX_UNSTORED) };
  }

  function remember(vm: WatchedVm): void {
    if (remembered.size >= MAX_REMEMBERED) remembered.clear();
    remembered.set(vm.vmId, vm);
  }
}

function afterFold(vm: WatchedVm, folded: FoldedLook): Pick<WatchedVm, 'checks' | 'health' | 'lookSeq'> {
  const states = new Map(folded.states.map((state) => [state.checkId, state]));
  const checks = vm.checks.map((check) => ({ ...check, state: states.get(check.checkId) ?? check.state }));
  return { checks, health: folded.health, lookSeq: vm.lookSeq + 1 };
}

function dueOnly(vm: WatchedVm, check: WatchedVm['checks'][number], index: number): WatchedVm['checks'][number] {
  const before = vm.checks[index]?.state ?? check.state;
  return { ...check, state: { ...before, lastDueAtMs: check.state.lastDueAtMs } };
}

function lookFailed(what: string, error: unknown): ProbeResult {
  const message = `look failed: ${error instanceof Error ? error.message : String(error)}`;
  const summary = `${what} look failed`;
  return { status: 'unknown', reason: 'look-failed', message, latencyMs: null, rawResponse: {}, summary };
}
