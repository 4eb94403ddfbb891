import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CheckResult } from '../../domain/probe-result.ts';
import { resultsToKeep } from '../../domain/results-to-keep.ts';
import { probeResult } from './examples.ts';

const MINUTE = 60_000;

function result(dueAtMs: number, more: Partial<CheckResult> = {}): CheckResult {
  return { ...probeResult('healthy'), checkId: 'http', intervalMs: MINUTE, dueAtMs, checkedAtMs: dueAtMs, ...more };
}

const ticksOf = (results: readonly CheckResult[]) => results.map(({ dueAtMs }) => dueAtMs);

describe('results to keep', () => {
  it('are all of them, in order, as long as they are not too many', () => {
    expect(ticksOf(resultsToKeep([result(2), result(1)], 2))).toEqual([1, 2]);
  });

  it('are the newest of a check that is looked at by its grid alone', () => {
    const grid = [0, 1, 2, 3, 4].map((minute) => result(minute * MINUTE));
    expect(ticksOf(resultsToKeep(grid, 3))).toEqual([2, 3, 4].map((minute) => minute * MINUTE));
  });

  it('are those of the grid rather than those that people asked for in between', () => {
    const grid = [0, 1, 2].map((minute) => result(minute * MINUTE));
    const asked = Array.from({ length: 50 }, (_, n) => result(2 * MINUTE + 1 + n * 250));
    const kept = resultsToKeep([...grid, ...asked], 6);
    expect(kept).toHaveLength(6);
    expect(ticksOf(kept).slice(0, 3)).toEqual(ticksOf(grid));
    expect(kept.at(-1)).toEqual(asked.at(-1));
  });

  it('are those that tell of a change, however close together', () => {
    const at = (second: number, status: CheckResult['status']) => result(second * 1_000, { status });
    const changes = [at(1, 'healthy'), at(2, 'unhealthy'), at(3, 'healthy')];
    const all = [at(0, 'healthy'), ...changes, at(4, 'healthy'), at(5, 'healthy')];
    expect(ticksOf(resultsToKeep(all, 4))).toEqual([1_000, 2_000, 3_000, 5_000]);
  });

  it('are fewer of a frequent check, and cost the others nothing', () => {
    const slow = [0, 1, 2].map((minute) => result(minute * MINUTE, { checkId: 'slow' }));
    const quick = Array.from({ length: 100 }, (_, n) => result(n * 1_000, { checkId: 'quick', intervalMs: 1_000 }));
    const kept = resultsToKeep([...quick, ...slow], 10);
    expect(kept.filter(({ checkId }) => checkId === 'slow')).toEqual(slow);
    expect(ticksOf(kept.filter(({ checkId }) => checkId === 'quick'))).toEqual(ticksOf(quick.slice(-7)));
  });

  it('are the newest where the interval was not written down', () => {
    const old = [0, 1, 2].map((second) => {
      const { intervalMs: _, ...without } = result(second);
      return without;
    });
    expect(ticksOf(resultsToKeep(old, 2))).toEqual([1, 2]);
  });

  it('are no more than asked for or one of each check, always given ones, and the newest of each among them', () => {
    const someResult = fc.record({
      checkId: fc.constantFrom('a', 'b', 'c'),
      dueAtMs: fc.integer({ min: 0, max: 300_000 }),
      status: fc.constantFrom('healthy' as const, 'unhealthy' as const, 'unknown' as const),
      intervalMs: fc.constantFrom(1_000, MINUTE),
    });
    const some = fc.uniqueArray(someResult, { selector: ({ dueAtMs }) => dueAtMs, maxLength: 40 });
    fc.assert(
      fc.property(some, fc.integer({ min: 1, max: 20 }), (given, max) => {
        const results = given.map(({ dueAtMs, ...more }) => result(dueAtMs, more));
        const kept = resultsToKeep(results, max);
        const newestOfEach = new Map(
          results.toSorted((a, b) => a.dueAtMs - b.dueAtMs).map((one) => [one.checkId, one]),
        );
        expect(kept).toHaveLength(Math.min(Math.max(max, newestOfEach.size), results.length));
        expect(kept.every((one) => results.includes(one))).toBe(true);
        for (const newest of newestOfEach.values()) expect(kept).toContain(newest);
      }),
    );
  });
});
