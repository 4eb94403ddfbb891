import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { unseenCheck } from '../../domain/check-state.ts';
import { type ConcludedCheck, conclusionHoldsMs, conclusiveUntil } from '../../domain/conclusive.ts';
import { applyFold, foldLook } from '../../domain/look.ts';
import type { WatchedVm } from '../../domain/watched.ts';
import { anyIntervalMs, HOUR, MINUTE, NOW, probeResult, SECOND, watchedCheck, watchedVm } from './examples.ts';

const check = (given: Partial<ConcludedCheck> & { saidAtMs?: number | null } = {}): ConcludedCheck => {
  const { saidAtMs = NOW - MINUTE, ...rest } = given;
  return { about: 'alive', intervalMs: MINUTE, timeoutMs: 10 * SECOND, state: { lastCheckAtMs: saidAtMs }, ...rest };
};

describe('a conclusive result of a check holds', () => {
  it.each<[string, ConcludedCheck[], number | null]>([
    ['for three intervals and a timeout', [check()], NOW - MINUTE + 3 * MINUTE + 10 * SECOND],
    ['not at all when none was conclusive', [check({ saidAtMs: null })], null],
    ['not at all without checks', [], null],
    [
      'as long as that of any check does, each by its own interval',
      [check({ intervalMs: 10 * SECOND, saidAtMs: NOW }), check({ intervalMs: HOUR, saidAtMs: NOW - 2 * HOUR })],
      NOW + HOUR + 10 * SECOND,
    ],
    [
      'by those about being alive alone',
      [check({ saidAtMs: NOW - HOUR }), check({ about: 'load' })],
      NOW - HOUR + 190 * SECOND,
    ],
    ['by its load where that is all there is', [check({ about: 'load', saidAtMs: NOW })], NOW + 190 * SECOND],
    ['not by a time far in the future, of a wrong clock', [check({ saidAtMs: NOW + HOUR })], null],
    ['by a time of a clock some seconds ahead', [check({ saidAtMs: NOW + SECOND })], NOW + 191 * SECOND],
  ])('%s', (_title, checks, untilMs) => {
    expect(conclusiveUntil(checks, NOW)).toBe(untilMs);
  });

  it('is stored with each look, and no look that could not tell makes it hold longer', () => {
    fc.assert(
      fc.property(anyIntervalMs, fc.integer({ min: 1, max: 50 }), (intervalMs, looks) => {
        const state = { ...unseenCheck('http-1', 'http'), status: 'healthy' as const, lastCheckAtMs: NOW };
        let vm: WatchedVm = watchedVm({ checks: [watchedCheck({ intervalMs, state })] });
        for (let tick = 1; tick <= looks; tick++) {
          const dueAtMs = NOW + tick * intervalMs;
          const result = { ...probeResult('unknown'), checkId: 'http-1', dueAtMs, checkedAtMs: dueAtMs };
          const folded = foldLook(vm, [result], dueAtMs);
          expect(folded.conclusiveUntilMs).toBe(NOW + conclusionHoldsMs({ intervalMs, timeoutMs: 10 * SECOND }));
          vm = applyFold(vm, folded);
        }
      }),
    );
  });
});

describe('over a time in which nobody could tell', () => {
  /** A check that needs two successes, after such results at such times. */
  function after(...results: [status: 'healthy' | 'unhealthy', atMs: number][]) {
    const thresholds = { failureThreshold: 3, successThreshold: 2 };
    let vm = watchedVm({ checks: [watchedCheck({ thresholds })] });
    for (const [status, atMs] of results) {
      const result = { ...probeResult(status), checkId: 'http-1', dueAtMs: atMs, checkedAtMs: atMs };
      vm = applyFold(vm, foldLook(vm, [result], atMs));
    }
    return vm.checks[0]?.state;
  }
  const ILL = [0, 1, 2].map((minute): ['unhealthy', number] => ['unhealthy', NOW + minute * MINUTE]);
  const LAST = NOW + 2 * MINUTE;
  // three intervals and a timeout
  const HOLDS = 190 * SECOND;

  it('no failures are in a row, though the check stays as it was', () => {
    const inARow = after(...ILL, ['unhealthy', LAST + HOLDS]);
    expect(inARow).toMatchObject({ status: 'unhealthy', consecutiveFailures: 4 });
    const apart = after(...ILL, ['unhealthy', LAST + HOLDS + 1]);
    expect(apart).toMatchObject({ status: 'unhealthy', consecutiveFailures: 1 });
  });

  it('no successes are in a row, so that the check does not recover', () => {
    const first = LAST + MINUTE;
    const inARow = after(...ILL, ['healthy', first], ['healthy', first + HOLDS]);
    expect(inARow).toMatchObject({ status: 'healthy', consecutiveSuccesses: 2 });
    const apart = after(...ILL, ['healthy', first], ['healthy', first + HOLDS + 1]);
    expect(apart).toMatchObject({ status: 'unhealthy', consecutiveSuccesses: 1 });
  });
});
