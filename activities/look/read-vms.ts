import { LRUCache } from 'lru-cache';
import type { Database } from '../../db/database.ts';
import { type DatabaseTrouble, databaseTrouble } from '../../db/database-trouble.ts';
import { findWatchedVms } from '../../db/looks/watched-vms.ts';
import type { TraitsOf } from '../../domain/check-traits.ts';
import type { WatchedVm } from '../../domain/watched.ts';
import { groupedReads } from './shared-reads.ts';

const MAX_REMEMBERED = 20_000;

/** A VM as it was read. */
export interface ReadVm {
  /** Null when there is no such VM; or, while Postgres is away, when this process has never read it. */
  vm: WatchedVm | null;
  /** Why Postgres can't be asked: then `vm` is as this process last read it. Null = it was asked. */
  away: DatabaseTrouble | null;
}

/** The first step of a look: what is known of the VM. Looks of a few milliseconds share one query. */
export interface VmReader {
  /** @throws (rejects with) what the query fails by, unless Postgres is away */
  read(vmId: string): Promise<ReadVm>;
  /** Keeps a VM as it is stored now, so that looks go on while Postgres is away. */
  remember(vm: WatchedVm): void;
}

/** Reads VMs from this database; create once per process. */
export function createVmReader(pool: Database['pool'], traitsOf: TraitsOf): VmReader {
  const find = groupedReads((vmIds) => findWatchedVms(pool, vmIds, traitsOf));
  const remembered = new LRUCache<string, WatchedVm>({ max: MAX_REMEMBERED });
  return {
    async read(vmId) {
      try {
        const vm = await find(vmId);
        if (vm !== null) remembered.set(vmId, vm);
        return { vm, away: null };
      } catch (error) {
        const away = databaseTrouble(error);
        if (away === null) throw error;
        return { vm: remembered.get(vmId) ?? null, away };
      }
    },
    remember(vm) {
      remembered.set(vm.vmId, vm);
    },
  };
}
