import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { unseenCheck } from '../../domain/check-state.ts';
import { tickAtOrBefore } from '../../domain/grid.ts';
import { applyFold, foldLook, type LookMode, lookLine, msToNextLook, planLook } from '../../domain/look.ts';
import type { CheckResult } from '../../domain/probe-result.ts';
import type { WatchedVm } from '../../domain/watched.ts';
import {
  anyInstant,
  anyIntervalMs,
  anyWatchedVm,
  MINUTE,
  NOW,
  probeResult,
  SECOND,
  watchedCheck,
  watchedVm,
} from './examples.ts';

const ORDINARY: LookMode = { paceMs: null, now: false };

describe('which checks are due', () => {
  it('are all of them at a first look, at their ticks', () => {
    fc.assert(
      fc.property(anyWatchedVm, anyInstant, (vm, nowMs) => {
        expect(planLook(vm, ORDINARY, nowMs).map(({ check, dueAtMs }) => [check.checkId, dueAtMs])).toEqual(
          vm.checks.map((check) => [check.checkId, tickAtOrBefore(vm.vmId, check.intervalMs, nowMs)]),
        );
      }),
    );
  });

  it.each([
    ['stopped on purpose', { stoppedOnPurpose: true }],
    ['deleted', { deleted: true }],
    ['paused', { paused: { reason: 'rack move', by: 'ops' } }],
  ])('are none of a VM that is %s, even when asked to look now', (_title, given) => {
    const vm = watchedVm(given);
    for (const now of [true, false]) expect(planLook(vm, { paceMs: 5 * SECOND, now }, NOW)).toEqual([]);
  });

  it('are all of them, now, when a look is asked for now', () => {
    const vm = watchedVm({ checks: [watchedCheck(), watchedCheck({ checkId: 'tcp-1', checkType: 'tcp' })] });
    const due = planLook(vm, { paceMs: null, now: true }, NOW + 17);
    expect(due.map(({ check, dueAtMs }) => [check.checkId, dueAtMs])).toEqual([
      ['http-1', NOW + 17],
      ['tcp-1', NOW + 17],
    ]);
  });

  it.each([
    ['healthy', 60],
    ['unknown', 60],
    ['degraded', 15],
    ['unhealthy', 15],
  ] as const)('come at the retry pace while a check is not healthy: %s', (status, seconds) => {
    const state = { ...unseenCheck('http-1', 'http'), status, lastDueAtMs: tickAtOrBefore('vm-1', MINUTE, NOW) };
    const vm = watchedVm({ checks: [watchedCheck({ retryIntervalMs: 15 * SECOND, state })] });
    const tick = state.lastDueAtMs + seconds * SECOND;
    expect(planLook(vm, ORDINARY, tick - 1)).toEqual([]);
    expect(planLook(vm, ORDINARY, tick)).toMatchObject([{ dueAtMs: tick }]);
    expect(msToNextLook(vm, ORDINARY, tick - 1)).toBe(1);
    expect(msToNextLook(vm, ORDINARY, tick - seconds * SECOND)).toBe(seconds * SECOND);
  });

  it('are none of those just looked at, whatever was asked for', () => {
    fc.assert(
      fc.property(anyWatchedVm, fc.boolean(), fc.option(anyIntervalMs), anyInstant, (vm, now, paceMs, nowMs) => {
        const results = planLook(vm, { paceMs, now }, nowMs).map(({ check, dueAtMs }): CheckResult => {
          return { ...probeResult('healthy'), checkId: check.checkId, dueAtMs, checkedAtMs: nowMs };
        });
        expect(planLook(applyFold(vm, foldLook(vm, results, nowMs)), { paceMs, now: false }, nowMs)).toEqual([]);
      }),
    );
  });

  it('come at least at the pace of a verify window, and faster ones at their own interval', () => {
    const vm = watchedVm({
      checks: [watchedCheck({ intervalMs: MINUTE }), watchedCheck({ checkId: 'tcp-1', intervalMs: 2 * SECOND })],
    });
    const due = planLook(vm, { paceMs: 5 * SECOND, now: false }, NOW);
    expect(due.map((one) => one.dueAtMs)).toEqual([
      tickAtOrBefore(vm.vmId, 5 * SECOND, NOW),
      tickAtOrBefore(vm.vmId, 2 * SECOND, NOW),
    ]);
  });
});

describe('after a clock that was far ahead', () => {
  const ahead = watchedCheck({ intervalMs: MINUTE });
  ahead.state.lastDueAtMs = NOW + 24 * 60 * MINUTE;
  const vm = watchedVm({ checks: [ahead] });

  it('a check is due as if never looked at, and what it sees is folded', () => {
    const [due] = planLook(vm, ORDINARY, NOW);
    expect(due?.dueAtMs).toBe(tickAtOrBefore(vm.vmId, MINUTE, NOW));
    const dueAtMs = due?.dueAtMs ?? 0;
    const result = { ...probeResult('unhealthy'), checkId: ahead.checkId, dueAtMs, checkedAtMs: NOW };
    const folded = foldLook(vm, [result], NOW);
    expect(folded.folded).toEqual([result]);
    expect(planLook(applyFold(vm, folded), ORDINARY, NOW)).toEqual([]);
  });

  it('a look asked for on a machine some seconds ahead is still the last one', () => {
    const just = watchedCheck({ intervalMs: MINUTE });
    just.state.lastDueAtMs = NOW + 20 * SECOND;
    expect(planLook(watchedVm({ checks: [just] }), ORDINARY, NOW)).toEqual([]);
  });
});

describe('the wait until the next look', () => {
  it('is at least 1 ms and at most the shortest interval or the pace asked for', () => {
    fc.assert(
      fc.property(anyWatchedVm, fc.option(anyIntervalMs), anyInstant, (vm, paceMs, nowMs) => {
        const waitMs = msToNextLook(vm, { paceMs, now: false }, nowMs);
        expect(waitMs).toBeGreaterThanOrEqual(1);
        expect(waitMs).toBeLessThanOrEqual(Math.min(...vm.checks.map((check) => check.intervalMs), paceMs ?? Infinity));
      }),
    );
  });

  it.each([
    ['has no checks', watchedVm({ checks: [] })],
    ['is stopped on purpose', watchedVm({ stoppedOnPurpose: true, checks: [watchedCheck({ intervalMs: SECOND })] })],
    [
      'is paused',
      watchedVm({ paused: { reason: 'rack move', by: 'ops' }, checks: [watchedCheck({ intervalMs: SECOND })] }),
    ],
  ])('is a minute for a VM that %s', (_title, vm) => {
    expect(msToNextLook(vm, ORDINARY, NOW)).toBe(MINUTE);
  });
});

describe('after a look', () => {
  /** The VM after a look at all its checks that began then. */
  function lookedAt(vm: WatchedVm, mode: LookMode, nowMs: number): WatchedVm {
    const results = planLook(vm, mode, nowMs).map(({ check, dueAtMs }): CheckResult => {
      return { ...probeResult('unhealthy'), checkId: check.checkId, dueAtMs, checkedAtMs: nowMs };
    });
    return applyFold(vm, foldLook(vm, results, nowMs));
  }
  const twoChecks = watchedVm({
    checks: [watchedCheck({ intervalMs: MINUTE }), watchedCheck({ checkId: 'tcp-1', intervalMs: 20 * SECOND })],
  });
  const tick = tickAtOrBefore(twoChecks.vmId, MINUTE, NOW);

  it('the next is at the next tick of any check', () => {
    const vm = lookedAt(twoChecks, ORDINARY, tick + 3);
    expect(msToNextLook(vm, ORDINARY, tick + 5)).toBe(20 * SECOND - 5);
    expect(msToNextLook(vm, { paceMs: 5 * SECOND, now: false }, tick + 5)).toBe(5 * SECOND - 5);
  });

  it('that was asked for now, the next is at the next tick all the same', () => {
    const now: LookMode = { paceMs: null, now: true };
    expect(msToNextLook(lookedAt(twoChecks, now, tick + 3), now, tick + 5)).toBe(20 * SECOND - 5);
  });

  it('that lasted past the next tick, the next is at once', () => {
    const vm = lookedAt(twoChecks, ORDINARY, tick + 3);
    expect(msToNextLook(vm, ORDINARY, tick + 20 * SECOND + 1)).toBe(1);
  });

  it('its VM has been written once more, so that whoever read it before writes nothing', () => {
    expect(lookedAt(watchedVm({ lookSeq: 7 }), ORDINARY, NOW).lookSeq).toBe(8);
  });
});

describe('the line that operators read', () => {
  const results = ['http 200 12 ms', 'tcp:22 1 ms'].map((summary) => ({
    ...probeResult('healthy', { summary }),
    checkId: 'http-1',
    dueAtMs: NOW,
    checkedAtMs: NOW,
  }));

  it('is the VM’s health and what each of its checks found', () => {
    const { health } = watchedVm();
    const vm = watchedVm({ health: { ...health, status: 'healthy' } });
    expect(lookLine(vm, results)).toBe('healthy · http 200 12 ms · tcp:22 1 ms');
    expect(lookLine(vm, [])).toBe('healthy');
  });

  it('says why nobody looks at a VM', () => {
    expect(lookLine(watchedVm({ stoppedOnPurpose: true }), results)).toBe('not looked at: stopped on purpose');
    const paused = { reason: 'rack move', by: 'ops' };
    expect(lookLine(watchedVm({ paused }), results)).toBe('not looked at: ops paused it');
  });
});
