import type { CheckResult } from '../../domain/probe-result.ts';
import { resultsToKeep } from '../../domain/results-to-keep.ts';

/**
 * Results that this process could not store yet. Each is also kept in the activity's heartbeat, in case the worker dies. But
 * the heartbeat of a cancelled look is lost, and a probe that ends after its look has none.
 */
export interface UnstoredResults {
  /** The results kept of a VM and the given ones, each once, oldest first. */
  with(vmId: string, given: readonly CheckResult[]): CheckResult[];
  /**
   * Keeps these results of a VM too, as many as may be kept; answers all that are now kept of it. The newest of each check are
   * among them: without any, a check that is seldom due would be due again at once, over and over.
   */
  keep(vmId: string, results: readonly CheckResult[]): CheckResult[];
  /** Forgets these: they are stored, or never can be. */
  forget(vmId: string, results: readonly CheckResult[]): void;
  readonly isEmpty: boolean;
  /** VMs whose newest kept result is from before that time. */
  newestBefore(beforeMs: number): string[];
  /** How many were let go because they were too many, ever. */
  readonly letGo: number;
}

/** Of one VM: about an hour of one check at 60 s. */
const MAX_OF_VM = 60;
/** Of all VMs; some 100 MB. */
const MAX_RESULTS = 300_000;

/**
 * Results of one process. Of each VM only so many are kept, whatever was asked for; when those of all are too many, the VM that
 * has most gives some up, so that no VM costs another one its results.
 */
export function createUnstoredResults(maxResults = MAX_RESULTS): UnstoredResults {
  const byVm = new Map<string, readonly CheckResult[]>();
  let count = 0;
  let letGo = 0;

  function merged(vmId: string, given: readonly CheckResult[]): CheckResult[] {
    const kept = byVm.get(vmId);
    if (kept === undefined && given.length <= 1) return [...given];
    const once = new Map([...(kept ?? []), ...given].map((one) => [keyOf(one), one]));
    return [...once.values()].toSorted((a, b) => a.dueAtMs - b.dueAtMs);
  }

  function store(vmId: string, results: readonly CheckResult[]): void {
    count += results.length - (byVm.get(vmId)?.length ?? 0);
    if (results.length === 0) byVm.delete(vmId);
    else byVm.set(vmId, results);
  }

  function storeSome(vmId: string, results: readonly CheckResult[], max: number): void {
    const kept = resultsToKeep(results, max);
    letGo += results.length - kept.length;
    store(vmId, kept);
  }

  function letOldestGo(vmId: string, results: readonly CheckResult[]): void {
    letGo += 1;
    store(vmId, results.slice(1));
  }

  return {
    with: merged,
    keep(vmId, results) {
      storeSome(vmId, merged(vmId, results).map(withoutBody), MAX_OF_VM);
      while (count > maxResults) {
        const [fullest, most] = fullestOf(byVm);
        const before = count;
        storeSome(fullest, most, most.length - 1);
        if (count === before) letOldestGo(fullest, most);
      }
      return [...(byVm.get(vmId) ?? [])];
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
    get letGo() {
      return letGo;
    },
  };
}

/** The VM with the most results. */
function fullestOf(byVm: ReadonlyMap<string, readonly CheckResult[]>): [vmId: string, results: readonly CheckResult[]] {
  let fullest: [string, readonly CheckResult[]] = ['', []];
  for (const entry of byVm) if (entry[1].length > fullest[1].length) fullest = entry;
  return fullest;
}

const keyOf = ({ checkId, dueAtMs }: CheckResult): string => `${checkId}/${dueAtMs}`;

/** What a server answered is too much to keep, and heartbeats pass through Temporal: statuses only. */
function withoutBody(result: CheckResult): CheckResult {
  return { ...result, rawResponse: {} };
}
