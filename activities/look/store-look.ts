import { type DatabaseTrouble, databaseTrouble } from '../../db/database-trouble.ts';
import { applyFold, type FoldedLook, foldLook } from '../../domain/look.ts';
import { type CheckResult, lookFailed } from '../../domain/probe-result.ts';
import type { WatchedVm } from '../../domain/watched.ts';
import type { Dependencies } from '../dependencies.ts';
import type { VmReader } from './read-vms.ts';
import type { UnstoredResults } from './unstored-results.ts';

/** What storing a look came to. */
export type StoredLook =
  /** `vm` is as it stands now. */
  | { kind: 'stored'; vm: WatchedVm; folded: FoldedLook }
  /** Postgres is away: these results are kept in the activity's heartbeat. */
  | { kind: 'not-stored'; vm: WatchedVm; unstored: CheckResult[]; away: DatabaseTrouble }
  | { kind: 'gone'; deleted: boolean };

/**
 * The third step of a look: folds results into the VM's state, with those that could not be stored before, and stores both.
 * Resolves once they are durable. `vm` must be as it is stored: a result folded into it before would count twice.
 * @throws (rejects) when the state keeps changing under it, or when the VM can't be read again
 */
export type StoreLook = (
  vm: WatchedVm,
  results: readonly CheckResult[],
  /** When the look ended, epoch ms; default: now. */
  endedAtMs?: number,
) => Promise<StoredLook>;

const FOLD_TRIES = 8;

/** Stores looks by this process's writer; what was stored is remembered by the reader. */
export function createStoreLook(
  deps: Pick<Dependencies, 'looks' | 'log' | 'now'>,
  reader: VmReader,
  unstored: UnstoredResults,
): StoreLook {
  return async (read, given, endedAtMs) => {
    const results = unstored.with(read.vmId, given);
    try {
      return await fold(read, results, new Set(given), endedAtMs);
    } catch (error) {
      unstored.keep(read.vmId, results);
      throw error;
    }
  };

  /** Folds onto the state as it is now: when somebody else folded meanwhile, reads again and folds again. */
  async function fold(
    read: WatchedVm,
    seen: readonly CheckResult[],
    newest: ReadonlySet<CheckResult>,
    endedAtMs?: number,
  ): Promise<StoredLook> {
    let vm = read;
    let results = seen;
    /** The results that may be at fault when Postgres refuses one. */
    let suspects = newest;
    for (let attempt = 0; attempt < FOLD_TRIES; attempt++) {
      const atMs = endedAtMs ?? deps.now();
      const folded = foldLook(vm, results, atMs);
      try {
        if ((await write(vm, folded, atMs)) === 'stored') {
          const stored = applyFold(vm, folded);
          reader.remember(stored);
          unstored.forget(vm.vmId, results);
          return { kind: 'stored', vm: stored, folded };
        }
      } catch (error) {
        const away = databaseTrouble(error);
        if (away !== null) return notStored(vm, results, away);
        deps.log.error({ vmId: vm.vmId, err: error }, 'a look could not be stored');
        const failed = lookFailed('check', error);
        results = results.map((result) => (suspects.has(result) ? { ...result, ...failed } : result));
        // results of earlier looks are seldom at fault, so they become suspects only at the second refusal
        suspects = new Set(results);
      }
      const { vm: fresh, away } = await reader.read(vm.vmId);
      if (away !== null) return notStored(vm, results, away);
      if (fresh === null || fresh.deleted) {
        unstored.forget(vm.vmId, results);
        return { kind: 'gone', deleted: fresh !== null };
      }
      vm = fresh;
    }
    throw new Error(`the state of VM ${read.vmId} kept changing while a look was stored`);
  }

  function write(vm: WatchedVm, folded: FoldedLook, endedAtMs: number): Promise<'stored' | 'overtaken'> {
    const { vmId, tenantId, lookSeq, watchEpoch } = vm;
    return deps.looks.write({ vmId, tenantId, lookSeq, watchEpoch, endedAtMs, ...folded });
  }

  function notStored(vm: WatchedVm, results: readonly CheckResult[], away: DatabaseTrouble): StoredLook {
    return { kind: 'not-stored', vm, unstored: unstored.keep(vm.vmId, results), away };
  }
}
