import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tickAtOrBefore } from '../../domain/grid.ts';
import { applyDueTimes, applyFold, foldLook } from '../../domain/look.ts';
import type { CheckResult } from '../../domain/probe-result.ts';
import type { WatchedVm } from '../../domain/watched.ts';
import {
  anyResultStatus,
  anyWatchedVm,
  CHECK_IDS,
  MINUTE,
  NOW,
  probeResult,
  SECOND,
  watchedCheck,
  watchedVm,
} from './examples.ts';

/** Results as several looks at a VM may carry them: of any check, gone ones too, one per check and tick. */
const anyResults = fc
  .uniqueArray(
    fc.record({
      checkId: fc.constantFrom(...CHECK_IDS, 'gone'),
      dueAtMs: fc.integer({ min: 1, max: 30 }).map((minute) => NOW - minute * MINUTE),
      status: anyResultStatus,
    }),
    { maxLength: 40, selector: ({ checkId, dueAtMs }) => `${checkId}@${dueAtMs}` },
  )
  .map((results) =>
    results.map(
      ({ checkId, dueAtMs, status }): CheckResult => ({
        ...probeResult(status),
        checkId,
        dueAtMs,
        checkedAtMs: dueAtMs + 3,
      }),
    ),
  );

describe('folding results', () => {
  it('changes nothing the second time', () => {
    fc.assert(
      fc.property(anyWatchedVm, anyResults, (vm, results) => {
        const once = applyFold(vm, foldLook(vm, results, NOW));
        const again = foldLook(once, results, NOW + 1);
        expect(again).toMatchObject({ health: once.health, transition: null, states: [], folded: [] });
      }),
    );
  });

  it('does not depend on the order in which results are given', () => {
    const anyShuffled = anyResults.chain((results) =>
      fc.record({
        results: fc.constant(results),
        shuffled: fc.shuffledSubarray(results, { minLength: results.length }),
      }),
    );
    fc.assert(
      fc.property(anyWatchedVm, anyShuffled, (vm, { results, shuffled }) => {
        const inOrder = foldLook(vm, results, NOW);
        const outOfOrder = foldLook(vm, shuffled, NOW);
        expect({ ...outOfOrder, folded: [] }).toEqual({ ...inOrder, folded: [] });
        expect(new Set(outOfOrder.folded)).toEqual(new Set(inOrder.folded));
      }),
    );
  });

  it('measures how long a check fails from a tick of its pace while it is not healthy', () => {
    const vm = watchedVm({ checks: [watchedCheck({ retryIntervalMs: 15 * SECOND })] });
    const dueAtMs = tickAtOrBefore(vm.vmId, MINUTE, NOW) + 40 * SECOND;
    const asked = { ...probeResult('unhealthy'), checkId: 'http-1', dueAtMs, checkedAtMs: dueAtMs };
    expect(foldLook(vm, [asked], dueAtMs).states).toMatchObject([{ failingSinceMs: dueAtMs - 10 * SECOND }]);
  });

  it('gives the same state in one go as tick by tick', () => {
    fc.assert(
      fc.property(anyWatchedVm, anyResults, (vm, results) => {
        const ticks = [...new Set(results.map((one) => one.dueAtMs))].toSorted((a, b) => a - b);
        let stepwise = vm;
        for (const tick of ticks) {
          const due = results.filter((one) => one.dueAtMs === tick);
          stepwise = applyFold(stepwise, foldLook(stepwise, due, tick));
        }
        const atOnce = applyFold(vm, foldLook(vm, results, NOW));
        expect(atOnce.checks).toEqual(stepwise.checks);
        expect(atOnce.health.status).toBe(stepwise.health.status);
      }),
    );
  });

  it('takes each result of a check of this VM once, and those of checks that are gone never', () => {
    fc.assert(
      fc.property(anyWatchedVm, anyResults, (vm, results) => {
        const known = new Set(vm.checks.map((check) => check.checkId));
        const { folded, states } = foldLook(vm, [...results, ...results], NOW);
        expect(new Set(folded)).toEqual(new Set(results.filter((one) => known.has(one.checkId))));
        expect(folded).toHaveLength(new Set(folded).size);
        expect(new Set(states.map((state) => state.checkId))).toEqual(new Set(folded.map((one) => one.checkId)));
      }),
    );
  });

  it('leaves out a tick older than the last one folded', () => {
    const vm = watchedVm();
    const result = (dueAtMs: number, status: 'healthy' | 'unhealthy'): CheckResult => {
      return { ...probeResult(status), checkId: 'http-1', dueAtMs, checkedAtMs: dueAtMs };
    };
    const known = applyFold(vm, foldLook(vm, [result(NOW, 'healthy')], NOW));
    const late = foldLook(known, [result(NOW - MINUTE, 'unhealthy'), result(NOW, 'unhealthy')], NOW);
    expect(late).toMatchObject({ health: known.health, transition: null, states: [], folded: [] });
  });

  it('leaves what it was given as it was', () => {
    fc.assert(
      fc.property(anyWatchedVm, anyResults, (vm, results) => {
        const before = structuredClone({ vm, results });
        foldLook(vm, results, NOW);
        expect({ vm, results }).toEqual(before);
      }),
    );
  });
});

describe('a check that began anew', () => {
  const vm = watchedVm({ checks: [watchedCheck({ series: 2 })] });
  const result = (given: Partial<CheckResult>): CheckResult => {
    return { ...probeResult('unhealthy'), checkId: 'http-1', dueAtMs: NOW, checkedAtMs: NOW, ...given };
  };

  it.each([
    ['drops what a look under way saw before', 1, 0],
    ['counts what was seen since', 2, 1],
    ['counts what earlier versions saw, which say nothing of it', undefined, 1],
  ])('%s', (_title, series, failures) => {
    const folded = foldLook(vm, [result(series === undefined ? {} : { series })], NOW);
    expect(folded.health.consecutiveFailures).toBe(failures);
    expect(folded.folded).toHaveLength(failures);
  });

  it('is not proven by a result from before', () => {
    const well = { ...probeResult('healthy'), status: 'healthy' as const };
    expect(foldLook(vm, [result({ ...well, series: 1 })], NOW).states).toEqual([]);
    expect(foldLook(vm, [result({ ...well, series: 2 })], NOW).states[0]?.provenAtMs).toBe(NOW);
  });
});

describe('while a look cannot be stored', () => {
  it("a VM's due times move on as if it were, so that the same ticks are not due again, and nothing else does", () => {
    fc.assert(
      fc.property(anyWatchedVm, anyResults, (vm, results) => {
        const folded = foldLook(vm, results, NOW);
        const dueTimesOf = (one: WatchedVm) => one.checks.map((check) => check.state.lastDueAtMs);
        const moved = applyDueTimes(vm, folded);
        expect(dueTimesOf(moved)).toEqual(dueTimesOf(applyFold(vm, folded)));
        const back = moved.checks.map((check, i) => {
          const lastDueAtMs = vm.checks[i]?.state.lastDueAtMs ?? null;
          return { ...check, state: { ...check.state, lastDueAtMs } };
        });
        expect({ ...moved, checks: back }).toEqual(vm);
      }),
    );
  });
});
