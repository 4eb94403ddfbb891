import type { CheckResult } from './probe-result.ts';

/**
 * Which results of one VM to keep when only so many can be, oldest first. First go those that the grid alone would not have had,
 * because people asked for looks: of a check, one between two of the same status that are no more than its interval apart, the
 * closest first. Then goes the oldest of the check with the most results, so that a frequent check costs the others nothing. The
 * newest of each check stay, though they be more.
 */
export function resultsToKeep(results: readonly CheckResult[], max: number): CheckResult[] {
  const byCheck = groupByCheck(results);
  for (let count = results.length; count > Math.max(max, byCheck.length); count--) {
    if (!removeClosest(byCheck)) mostOf(byCheck).shift();
  }
  return byCheck.flat().toSorted(byTick);
}

/** The results of each check, oldest first. */
function groupByCheck(results: readonly CheckResult[]): CheckResult[][] {
  const byCheck = new Map<string, CheckResult[]>();
  for (const result of results.toSorted(byTick)) {
    const others = byCheck.get(result.checkId);
    if (others === undefined) byCheck.set(result.checkId, [result]);
    else others.push(result);
  }
  return [...byCheck.values()];
}

/** False when each result that is left tells what those around it don't. */
function removeClosest(byCheck: readonly CheckResult[][]): boolean {
  let least = Number.POSITIVE_INFINITY;
  let remove = () => false;
  for (const results of byCheck) {
    for (let at = 1; at < results.length - 1; at++) {
      const apartMs = apartAround(results, at);
      if (apartMs >= least) continue;
      least = apartMs;
      remove = () => results.splice(at, 1).length > 0;
    }
  }
  return remove();
}

/** How far apart the results before and after this one are, ms; infinity when it tells what they don't. */
function apartAround(results: readonly CheckResult[], at: number): number {
  const [before, result, after] = results.slice(at - 1, at + 2);
  if (!before || !result || !after) return Number.POSITIVE_INFINITY;
  const apartMs = after.dueAtMs - before.dueAtMs;
  const tellsNoMore = before.status === result.status && after.status === result.status;
  return tellsNoMore && apartMs <= (result.intervalMs ?? 0) ? apartMs : Number.POSITIVE_INFINITY;
}

/** The results of the check that has most of them; of several, of the one with the oldest. */
function mostOf(byCheck: readonly CheckResult[][]): CheckResult[] {
  return byCheck.reduce((most, results) => {
    const more = results.length - most.length;
    return more > 0 || (more === 0 && oldestOf(results) < oldestOf(most)) ? results : most;
  });
}

function oldestOf(results: readonly CheckResult[]): number {
  return results[0]?.dueAtMs ?? Number.POSITIVE_INFINITY;
}

function byTick(a: CheckResult, b: CheckResult): number {
  return a.dueAtMs - b.dueAtMs;
}
