import { isDatabaseAway } from '../../db/database.ts';
import { applyDueTimes, applyFold, type FoldedLook, foldLook } from '../../domain/look.ts';
import { type CheckResult, lookFailed } from '../../domain/probe-result.ts';
import type { WatchedVm } from '../../domain/watched.ts';
import type { Dependencies } from '../dependencies.ts';
import type { VmReader } from './read-vms.ts';

/** What storing a look came to. */
export type StoredLook =
  /** `vm` is as it stands now. */
  | { kind: 'stored'; vm: WatchedVm; folded: FoldedLook }
  /** Postgres is away: these results have to ride along. */
  | { kind: 'not-stored'; vm: WatchedVm; unstored: CheckResult[] }
  | { kind: 'gone'; deleted: boolean };

/**
 * The third step of a look: folds results into the VM's state and stores both. Resolves once they are durable.
 * @throws (rejects) when the state keeps changing under it, or when the VM can't be read again
 */
export type StoreLook = (vm: WatchedVm, results: readonly CheckResult[]) => Promise<StoredLook>;

const FOLD_TRIES = 8;
/** About an hour of one check at 60 s; older results are dropped first. */
const MAX_UNSTORED = 60;

/** Stores looks by this process's writer; what was stored is remembered by the reader. */
export function createStoreLook(deps: Pick<Dependencies, 'looks' | 'log' | 'now'>, reader: VmReader): StoreLook {
  /** Folds onto the state as it is now: when somebody else folded meanwhile, reads again and folds again. */
  return async (read, given) => {
    let vm = read;
    let results = given;
    for (let attempt = 0; attempt < FOLD_TRIES; attempt++) {
      const folded = foldLook(vm, results, deps.now());
      try {
        if ((await write(vm, folded)) === 'stored') {
          const stored = applyFold(vm, folded);
          reader.remember(stored);
          return { kind: 'stored', vm: stored, folded };
        }
      } catch (error) {
        if (isDatabaseAway(error)) return notStored(vm, folded, results);
        deps.log.error({ vmId: vm.vmId, err: error }, 'a look could not be stored');
        const failed = lookFailed('check', error);
        results = results.map((result) => ({ ...result, ...failed }));
      }
      const fresh = await reader.read(vm.vmId);
      if (fresh === 'away') return notStored(vm, foldLook(vm, results, deps.now()), results);
      if (fresh === null || fresh.deleted) return { kind: 'gone', deleted: fresh !== null };
      vm = fresh;
    }
    throw new Error(`the state of VM ${read.vmId} kept changing while a look was stored`);
  };

  function write(vm: WatchedVm, folded: FoldedLook): Promise<'stored' | 'overtaken'> {
    const { vmId, tenantId, lookSeq, watchEpoch } = vm;
    return deps.looks.write({ vmId, tenantId, lookSeq, watchEpoch, endedAtMs: deps.now(), ...folded });
  }

  function notStored(vm: WatchedVm, folded: FoldedLook, results: readonly CheckResult[]): StoredLook {
    // health is folded anew when the results are stored
    const moved = applyDueTimes(vm, folded);
    reader.remember(moved);
    return { kind: 'not-stored', vm: moved, unstored: results.slice(-MAX_UNSTORED) };
  }
}
