import { LRUCache } from 'lru-cache';
import type { CheckResult } from '../../domain/probe-result.ts';

/**
 * Results that this process could not store yet. Each is also kept in the activity's heartbeat, in case the worker dies. But
 * the heartbeat of a cancelled look is lost, and a probe that ends after its look has none.
 */
export interface UnstoredResults {
  /** The results kept of a VM and the given ones, each once, oldest first. */
  with(vmId: string, given: readonly CheckResult[]): CheckResult[];
  /**
   * Keeps these results of a VM too; answers all that are now kept of it. If they are too many, only the newest are kept, and the
   * newest of each check: without any, a check that is seldom due would be due again at once, over and over.
   */
  keep(vmId: string, results: readonly CheckResult[]): CheckResult[];
  /** Forgets these: they are stored, or never can be. */
  forget(vmId: string, results: readonly CheckResult[]): void;
  readonly isEmpty: boolean;
  /** VMs whose newest kept result is from before that time. */
  newestBefore(beforeMs: number): string[];
  /** How many were dropped because they were too many, ever; for a metric. */
  readonly dropped: number;
}

/** Of one VM: about an hour of one check at 60 s. */
const MAX_OF_VM = 60;
/** Of all VMs; some 100 MB. */
const MAX_RESULTS = 300_000;

/** Results of one process; older ones are dropped first, and those of the VM looked at longest ago. */
export function createUnstoredResults(maxResults = MAX_RESULTS): UnstoredResults {
  let dropped = 0;
  const byVm = new LRUCache<string, readonly CheckResult[]>({
    maxSize: maxResults,
    sizeCalculation: (results) => results.length,
    dispose(results, _vmId, why) {
      if (why === 'evict') dropped += results.length;
    },
  });

  function merged(vmId: string, given: readonly CheckResult[]): CheckResult[] {
    const kept = byVm.get(vmId);
    if (kept === undefined && given.length <= 1) return [...given];
    const once = new Map([...(kept ?? []), ...given].map((one) => [keyOf(one), one]));
    return [...once.values()].toSorted((a, b) => a.dueAtMs - b.dueAtMs);
  }

  function store(vmId: string, results: readonly CheckResult[]): void {
    if (results.length === 0) byVm.delete(vmId);
    else byVm.set(vmId, results);
  }

  return {
    with: merged,
    keep(vmId, results) {
      const all = merged(vmId, results);
      const newest = newestOf(all).map(withoutBody);
      dropped += all.length - newest.length;
      store(vmId, newest);
      return newest;
    },
    forget(vmId, results) {
      const kept = byVm.get(vmId);
      if (kept === undefined) return;
      const gone = new Set(results.map(keyOf));
      store(
        vmId,
        kept.filter((one) => !gone.has(keyOf(one))),
      );
    },
    get isEmpty() {
      return byVm.size === 0;
    },
    newestBefore(beforeMs) {
      const isOld = (results: readonly CheckResult[]) => results.every(({ checkedAtMs }) => checkedAtMs < beforeMs);
      return [...byVm.entries()].filter(([, results]) => isOld(results)).map(([vmId]) => vmId);
    },
    get dropped() {
      return dropped;
    },
  };
}

/** Of results of one VM, oldest first. */
function newestOf(results: readonly CheckResult[]): CheckResult[] {
  const lastOfEach = new Set(new Map(results.map((one) => [one.checkId, one])).values());
  let others = MAX_OF_VM - lastOfEach.size;
  return results
    .toReversed()
    .filter((one) => lastOfEach.has(one) || others-- > 0)
    .toReversed();
}

const keyOf = ({ checkId, dueAtMs }: CheckResult): string => `${checkId}/${dueAtMs}`;

/** What a server answered is too much to keep, and heartbeats pass through Temporal: statuses only. */
function withoutBody(result: CheckResult): CheckResult {
  return { ...result, rawResponse: {} };
}
