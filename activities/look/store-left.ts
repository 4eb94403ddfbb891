import { foldLook } from '../../domain/look.ts';
import type { VmReader } from './read-vms.ts';
import type { StoreLook } from './store-look.ts';
import type { UnstoredResults } from './unstored-results.ts';

/** Within this time a VM's next look usually comes, and stores the VM's unstored results with its own. */
const LEFT_AFTER_MS = 60_000;
const LOOK_EVERY_MS = 5_000;
const AT_ONCE = 200;

/**
 * Stores the unstored results of VMs that this process looks at no more: their looks were cancelled, or another worker does
 * them. Call it whenever a look was stored, because then Postgres is back. Never rejects.
 */
export function createStoreLeft(
  reader: VmReader,
  storeLook: StoreLook,
  unstored: UnstoredResults,
  now: () => number,
): () => Promise<void> {
  let notBeforeMs = Number.NEGATIVE_INFINITY;
  let running = false;

  return async () => {
    if (running || unstored.isEmpty || now() < notBeforeMs) return;
    running = true;
    const left = unstored.newestBefore(now() - LEFT_AFTER_MS);
    for (let i = 0; i < left.length; i += AT_ONCE) {
      const stored = await Promise.all(left.slice(i, i + AT_ONCE).map(storeOf));
      if (stored.includes(false)) break;
    }
    running = false;
    notBeforeMs = now() + LOOK_EVERY_MS;
  };

  /** False when Postgres is away again. */
  async function storeOf(vmId: string): Promise<boolean> {
    const results = unstored.with(vmId, []);
    try {
      const { vm, away } = await reader.read(vmId);
      if (away !== null) return false;
      const isNews = vm !== null && !vm.deleted && foldLook(vm, results, now()).folded.length > 0;
      if (isNews) return (await storeLook(vm, [], newestOf(results))).kind !== 'not-stored';
    } catch {
      // what can't be stored although Postgres can be reached never will be
    }
    unstored.forget(vmId, results);
    return true;
  }
}

function newestOf(results: readonly { checkedAtMs: number }[]): number {
  return Math.max(...results.map((result) => result.checkedAtMs));
}
