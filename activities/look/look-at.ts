import type { FactName } from '../../checks/check.ts';
import { type DueCheck, type LookMode, msToNextLook, planLook } from '../../domain/look.ts';
import { type CheckResult, lookFailed } from '../../domain/probe-result.ts';
import { ADMINS } from '../../domain/roles.ts';
import type { WatchedVm } from '../../domain/watched.ts';
import type { Dependencies } from '../dependencies.ts';
import { createBoundedProbes } from './bounded-probes.ts';
import { type FactSources, factsFor, type KnownFacts, readFacts } from './facts.ts';
import { type RunningProbe, waitForRound } from './probe-round.ts';

/** How to look at a VM. */
export interface LookOptions {
  mode(nowMs: number): LookMode;
  /** The longest that a check may take here, ms; null = no limit. */
  limitMs: number | null;
  /** Facts that whoever schedules the look has read already; those of them that probes need are not read again. */
  facts?: KnownFacts;
}

/** What looking at a VM came to. */
export type LookedAt =
  | { kind: 'results'; results: CheckResult[]; late: RunningProbe[] }
  /** Nothing was probed: a check may take longer than the limit; `lookLimitMs` would be enough. */
  | { kind: 'needs-time'; lookLimitMs: number };

/** The second step of a look: probes all that is due of a VM as it was read or given. */
export type LookAt = (vm: WatchedVm, options: LookOptions) => Promise<LookedAt>;

/** How much of an activity's time is kept for its write. */
const WRITE_MARGIN_MS = 5_000;
const NO_FACTS: KnownFacts = {};
const NO_NEEDS: readonly FactName[] = [];

/** Looks with these probes and facts; create once per process, which then never probes a check twice at a time. */
export function createLookAt({ probes, now }: Pick<Dependencies, 'probes' | 'now'>, sources: FactSources): LookAt {
  /** Running probes, by check. */
  const probing = new Map<string, RunningProbe>();
  const inTime = createBoundedProbes();

  return async (vm, { mode, limitMs, facts = NO_FACTS }) => {
    const due = planLook(vm, mode(now()), now());
    const checks = vm.checks.filter((check) => probing.has(check.checkId) || due.some((one) => one.check === check));
    const longestMs = Math.max(0, ...checks.map((check) => check.timeoutMs));
    if (limitMs !== null && longestMs + WRITE_MARGIN_MS > limitMs) {
      return { kind: 'needs-time', lookLimitMs: longestMs + 2 * WRITE_MARGIN_MS };
    }
    const needs = due.flatMap(({ check }) => needsOf(check.checkType));
    const known = needs.length === 0 ? facts : await readFacts(sources, needs, [vm], facts);
    const keeper = Symbol(vm.vmId);
    for (const one of due) if (!probing.has(one.check.checkId)) start(vm, one, known, keeper);
    // also probes that earlier looks stopped waiting for: when one ends, its check's next tick may have come
    const running = vm.checks.flatMap(({ checkId }) => probing.get(checkId) ?? []);
    for (const probe of running) probe.keeper = keeper;
    const round = await waitForRound(running, (pending) => msToNextTurn(vm, mode(now()), running, pending));
    return { kind: 'results', ...round };
  };

  function needsOf(checkType: string): readonly FactName[] {
    return probes.get(checkType)?.needs ?? NO_NEEDS;
  }

  /** While a check is being probed, no other look of this process probes it. */
  function start(vm: WatchedVm, due: DueCheck, known: KnownFacts, keeper: symbol): void {
    const { dueAtMs, check } = due;
    const running: RunningProbe = { checkId: check.checkId, dueAtMs, keeper, result: probe(vm, due, known) };
    probing.set(check.checkId, running);
    void running.result.then(() => probing.delete(check.checkId));
  }

  /** Never rejects. */
  async function probe(vm: WatchedVm, { check, dueAtMs }: DueCheck, known: KnownFacts): Promise<CheckResult> {
    const { checkId, checkType, series, intervalMs, target, timeoutMs, options } = check;
    const checkedAtMs = now();
    try {
      const one = probes.get(checkType);
      if (one === undefined) throw new Error(`Unknown check type: ${checkType}`);
      const facts = factsFor(one.needs, known, vm, check);
      const reach = { byAdmin: ADMINS.includes(check.aimedBy), tenantTargets: vm.tenantTargets };
      const input = { address: vm.address, target, timeoutMs, options, reach, nowMs: checkedAtMs, facts };
      const result = await inTime(check, async () => one.probe(input));
      return { checkId, series, intervalMs, dueAtMs, checkedAtMs, ...result };
    } catch (error) {
      return { checkId, series, intervalMs, dueAtMs, checkedAtMs, ...lookFailed(checkType, error) };
    }
  }

  /** Milliseconds until the next tick of a check that is not being probed; infinity when there is none. */
  function msToNextTurn(
    vm: WatchedVm,
    mode: LookMode,
    running: readonly RunningProbe[],
    pending: ReadonlySet<string>,
  ): number {
    const had = new Map(running.map(({ checkId, dueAtMs }) => [checkId, dueAtMs]));
    const others = vm.checks
      .filter(({ checkId }) => !pending.has(checkId) && !probing.has(checkId))
      .map((check) => {
        const lastDueAtMs = had.get(check.checkId) ?? check.state.lastDueAtMs;
        return { ...check, state: { ...check.state, lastDueAtMs } };
      });
    if (mode.now || others.length === 0) return Number.POSITIVE_INFINITY;
    return msToNextLook({ ...vm, checks: others }, mode, now());
  }
}
