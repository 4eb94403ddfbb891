import { LRUCache } from 'lru-cache';
import { type Database, isDatabaseAway } from '../../db/database.ts';
import { findWatchedVms } from '../../db/looks/watched-vms.ts';
import type { TraitsOf } from '../../domain/check-traits.ts';
import type { WatchedVm } from '../../domain/watched.ts';
import { groupedReads } from './shared-reads.ts';

const MAX_REMEMBERED = 20_000;

/** The first step of a look: what is known of the VM. Looks of a few milliseconds share one query. */
export interface VmReader {
  /**
   * Null when there is no such VM. While Postgres is away: as this process last knew it, or `away` when it never did.
   * @throws (rejects with) every other error of the query
   */
  read(vmId: string): Promise<WatchedVm | null | 'away'>;
  /** Keeps a VM as it is now, so that looks go on while Postgres is away. */
  remember(vm: WatchedVm): void;
}

/** Reads VMs from this database; create once per process. */
export function createVmReader(pool: Database['pool'], traitsOf: TraitsOf): VmReader {
  const find = groupedReads((vmIds) => findWatchedVms(pool, vmIds, traitsOf));
  const remembered = new LRUCache<string, WatchedVm>({ max: MAX_REMEMBERED });
  return {
    async read(vmId) {
      try {
        return await find(vmId);
      } catch (error) {
        if (!isDatabaseAway(error)) throw error;
        return remembered.get(vmId) ?? 'away';
      }
    },
    remember(vm) {
      remembered.set(vm.vmId, vm);
    },
  };
}
