import type { FactName } from '../../checks/check.ts';
import { msToNextTick } from '../../domain/grid.ts';
import { type DueCheck, intervalIn, type LookMode, planLook } from '../../domain/look.ts';
import { type CheckResult, lookFailed } from '../../domain/probe-result.ts';
import type { WatchedVm } from '../../domain/watched.ts';
import type { Dependencies } from '../dependencies.ts';
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

/** What is left of an activity's time for its write. */
const WRITE_MARGIN_MS = 5_000;
const NO_FACTS: KnownFacts = {};
const NO_NEEDS: readonly FactName[] = [];

/** Looks with these probes and facts; create once per process, which then never probes a check twice at a time. */
export function createLookAt({ probes, now }: Pick<Dependencies, 'probes' | 'now'>, sources: FactSources): LookAt {
  /** Checks (by id) that are being probed. */
  const probing = new Set<string>();

  return async (vm, { mode, limitMs, facts = NO_FACTS }) => {
    const due = planLook(vm, mode(now()), now());
    const longestMs = Math.max(0, ...due.map(({ check }) => check.timeoutMs));
    if (limitMs !== null && longestMs + WRITE_MARGIN_MS > limitMs) {
      return { kind: 'needs-time', lookLimitMs: longestMs + 2 * WRITE_MARGIN_MS };
    }
    const needs = due.flatMap(({ check }) => needsOf(check.checkType));
    const known = needs.length === 0 ? facts : await readFacts(sources, needs, [vm], facts);
    const running = due.filter(({ check }) => !probing.has(check.checkId)).map((one) => start(vm, one, known));
    const round = await waitForRound(running, (pending) => msToNextTurn(vm, mode(now()), pending));
    return { kind: 'results', ...round };
  };

  function needsOf(checkType: string): readonly FactName[] {
    return probes.get(checkType)?.needs ?? NO_NEEDS;
  }

  /** A probe on its way; while it is, no other look starts it again here. */
  function start(vm: WatchedVm, due: DueCheck, known: KnownFacts): RunningProbe {
    const { checkId } = due.check;
    probing.add(checkId);
    const result = probe(vm, due, known);
    void result.then(() => probing.delete(checkId));
    return { checkId, result };
  }

  /** Never rejects. */
  async function probe(vm: WatchedVm, { check, dueAtMs }: DueCheck, known: KnownFacts): Promise<CheckResult> {
    const { checkId, checkType, series, target, timeoutMs, options } = check;
    const checkedAtMs = now();
    try {
      const one = probes.get(checkType);
      if (one === undefined) throw new Error(`Unknown check type: ${checkType}`);
      const facts = factsFor(one.needs, known, vm, check);
      const result = await one.probe({ address: vm.address, target, timeoutMs, options, nowMs: checkedAtMs, facts });
      return { checkId, series, dueAtMs, checkedAtMs, ...result };
    } catch (error) {
      return { checkId, series, dueAtMs, checkedAtMs, ...lookFailed(checkType, error) };
    }
  }

  /** Milliseconds until a check that is not being probed has its turn; infinity when none has. */
  function msToNextTurn(vm: WatchedVm, mode: LookMode, pending: ReadonlySet<string>): number {
    const others = vm.checks.filter((check) => !pending.has(check.checkId) && !probing.has(check.checkId));
    if (mode.now || others.length === 0) return Number.POSITIVE_INFINITY;
    return msToNextTick(
      vm.vmId,
      others.map((check) => intervalIn(mode, check)),
      now(),
    );
  }
}
