import { traitsIn } from '../../checks/check.ts';
import type { DatabaseTrouble } from '../../db/database-trouble.ts';
import { applyDueTimes, type FoldedLook, foldLook } from '../../domain/look.ts';
import type { CheckResult } from '../../domain/probe-result.ts';
import type { WatchedVm } from '../../domain/watched.ts';
import type { Dependencies } from '../dependencies.ts';
import { createCountLetGo } from './count-let-go.ts';
import { createFactSources } from './facts.ts';
import { createLookAt, type LookOptions } from './look-at.ts';
import type { RunningProbe } from './probe-round.ts';
import { createVmReader } from './read-vms.ts';
import { createStoreLeft } from './store-left.ts';
import { createStoreLook } from './store-look.ts';
import { createUnstoredResults, type UnstoredResults } from './unstored-results.ts';

/** What a look is asked for, whoever schedules it. */
export interface LookRequest extends LookOptions {
  vmId: string;
  /** Settings older than this are waited for. */
  settingsVersion: number;
  /** Results of earlier looks that are not stored yet. */
  unstored: readonly CheckResult[];
}

/** What a look came to. */
export type LookOutcome =
  /** Looked and stored; `vm` is as it stands now. */
  | { kind: 'looked'; vm: WatchedVm; folded: FoldedLook; results: CheckResult[] }
  /** Postgres is away: what is `unstored` is kept in the activity's heartbeat. Without a VM, nothing could be looked at. */
  | {
      kind: 'not-stored';
      vm: WatchedVm | null;
      results: CheckResult[];
      unstored: CheckResult[];
      away: DatabaseTrouble;
    }
  /** Settings of that version are waited for; `version` is stored. */
  | { kind: 'settings-behind'; version: number }
  | { kind: 'needs-time'; lookLimitMs: number }
  | { kind: 'gone'; deleted: boolean };

/**
 * One look at one VM, in three steps: read, look at, store. A caller that has the VM and its facts uses the last two.
 * @throws (rejects) on what is neither the VM's fault nor Postgres being away
 */
export type Look = (request: LookRequest) => Promise<LookOutcome>;

/** Looks with these dependencies; create once per process. What can't be stored is kept in `unstored` until it can. */
export function createLook(deps: Dependencies, unstored: UnstoredResults = createUnstoredResults()): Look {
  const reader = createVmReader(deps.database.pool, traitsIn(deps.probes));
  const lookAt = createLookAt(deps, createFactSources(deps));
  const storeLook = createStoreLook(deps, reader, unstored);
  const storeLeft = createStoreLeft(reader, storeLook, unstored, deps.now);
  const countLetGo = createCountLetGo(deps, unstored);

  return async (request) => {
    const { vmId } = request;
    const waiting = unstored.keep(vmId, request.unstored);
    const { vm, away } = await reader.read(vmId);
    if (vm === null && away !== null) return { kind: 'not-stored', vm, results: [], unstored: waiting, away };
    if (vm === null || vm.deleted) return { kind: 'gone', deleted: vm !== null };
    if (vm.settingsVersion < request.settingsVersion) return { kind: 'settings-behind', version: vm.settingsVersion };
    const looked = await lookAt(seenUntil(vm, waiting, deps.now()), request);
    if (looked.kind === 'needs-time') return looked;
    const { results, late } = looked;
    for (const probe of late) void storeLate(vm, probe);
    const stored = await storeLook(vm, results);
    switch (stored.kind) {
      case 'stored':
        void storeLeft();
        void countLetGo();
        return { kind: 'looked', vm: stored.vm, folded: stored.folded, results };
      case 'not-stored':
        // or its checks would be due again at once, over and over while Postgres is away
        return { ...stored, vm: seenUntil(stored.vm, stored.unstored, deps.now()), results };
      case 'gone':
        return stored;
    }
  };

  /**
   * Stores the result of a probe that was too slow for its look, when it arrives. If a later look waits for the probe by then,
   * that look stores the result with its own.
   */
  async function storeLate(looked: WatchedVm, probe: RunningProbe): Promise<void> {
    const { keeper } = probe;
    try {
      const late = await probe.result;
      if (probe.keeper !== keeper) return;
      const { vm, away } = await reader.read(looked.vmId);
      if (vm === null && away !== null) unstored.keep(looked.vmId, [late]);
      else if (vm !== null && !vm.deleted) await storeLook(vm, [late]);
    } catch (error) {
      deps.log.error({ vmId: looked.vmId, err: error }, 'a slow probe could not be stored');
    }
  }
}

/**
 * The VM with due times as if its unstored results were stored, so that no check is probed twice for a tick. Only for finding
 * what is due: folding results onto it would count them twice.
 */
function seenUntil(vm: WatchedVm, waiting: readonly CheckResult[], nowMs: number): WatchedVm {
  return waiting.length === 0 ? vm : applyDueTimes(vm, foldLook(vm, waiting, nowMs));
}
