import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tickAtOrBefore } from '../../domain/grid.ts';
import { type FoldedLook, foldLook, type LookMode, msToNextLook, planLook, type Seen } from '../../domain/look.ts';
import type { WatchedVm } from '../../domain/watched.ts';
import {
  anyInstant,
  anyIntervalMs,
  anyOutcome,
  anyThresholds,
  MINUTE,
  NOW,
  observed,
  SECOND,
  watchedCheck,
  watchedVm,
} from './examples.ts';

const ORDINARY: LookMode = { paceMs: null, now: false };

const CHECKS = ['http-1', 'tcp-1', 'ping-1'];

const anyWatchedVm = fc
  .array(fc.record({ intervalMs: anyIntervalMs, thresholds: anyThresholds }), { minLength: 1, maxLength: 3 })
  .map((settings) =>
    watchedVm({ checks: settings.map((given, i) => watchedCheck({ checkId: CHECKS[i] ?? 'more', ...given })) }),
  );

/** Sightings as several looks at a VM may carry them: of any check, gone ones too, one per check and tick. */
const anySightings = fc
  .uniqueArray(
    fc.record({
      checkId: fc.constantFrom(...CHECKS, 'gone'),
      dueAtMs: fc.integer({ min: 1, max: 30 }).map((minute) => NOW - minute * MINUTE),
      outcome: anyOutcome,
    }),
    { maxLength: 40, selector: ({ checkId, dueAtMs }) => `${checkId}@${dueAtMs}` },
  )
  .map((sightings) =>
    sightings.map(
      ({ checkId, dueAtMs, outcome }): Seen => ({
        checkId,
        dueAtMs,
        beganAtMs: dueAtMs + 3,
        sighting: { observation: observed(outcome), summary: outcome },
      }),
    ),
  );

function after(vm: WatchedVm, folded: FoldedLook): WatchedVm {
  const states = new Map(folded.states.map((state) => [state.checkId, state]));
  return {
    ...vm,
    health: folded.health,
    checks: vm.checks.map((check) => ({ ...check, state: states.get(check.checkId) ?? check.state })),
  };
}

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
    ['stopped by request', { stoppedOnPurpose: true }],
    ['deleted', { deleted: true }],
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

  it('are none of those just looked at, whatever was asked for', () => {
    fc.assert(
      fc.property(anyWatchedVm, fc.boolean(), fc.option(anyIntervalMs), anyInstant, (vm, now, paceMs, nowMs) => {
        const seen = planLook(vm, { paceMs, now }, nowMs).map(({ check, dueAtMs }): Seen => {
          const sighting = { observation: observed('healthy'), summary: '' };
          return { checkId: check.checkId, dueAtMs, beganAtMs: nowMs, sighting };
        });
        expect(planLook(after(vm, foldLook(vm, seen, nowMs)), { paceMs, now: false }, nowMs)).toEqual([]);
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
    const sighting = { observation: observed('unhealthy'), summary: '' };
    const seen = { checkId: ahead.checkId, dueAtMs: due?.dueAtMs ?? 0, beganAtMs: NOW, sighting };
    const folded = foldLook(vm, [seen], NOW);
    expect(folded.folded).toEqual([seen]);
    expect(planLook(after(vm, folded), ORDINARY, NOW)).toEqual([]);
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
    ['is stopped by request', watchedVm({ stoppedOnPurpose: true, checks: [watchedCheck({ intervalMs: SECOND })] })],
  ])('is a minute for a VM that %s', (_title, vm) => {
    expect(msToNextLook(vm, ORDINARY, NOW)).toBe(MINUTE);
  });
});

describe('folding what was seen', () => {
  it('changes nothing the second time', () => {
    fc.assert(
      fc.property(anyWatchedVm, anySightings, (vm, sightings) => {
        const once = after(vm, foldLook(vm, sightings, NOW));
        const again = foldLook(once, sightings, NOW + 1);
        expect(again).toEqual({ health: once.health, transition: null, states: [], folded: [] });
      }),
    );
  });

  it('does not depend on the order in which sightings are given', () => {
    const anyShuffled = anySightings.chain((seen) =>
      fc.record({ seen: fc.constant(seen), shuffled: fc.shuffledSubarray(seen, { minLength: seen.length }) }),
    );
    fc.assert(
      fc.property(anyWatchedVm, anyShuffled, (vm, { seen, shuffled }) => {
        const inOrder = foldLook(vm, seen, NOW);
        const outOfOrder = foldLook(vm, shuffled, NOW);
        expect({ ...outOfOrder, folded: [] }).toEqual({ ...inOrder, folded: [] });
        expect(new Set(outOfOrder.folded)).toEqual(new Set(inOrder.folded));
      }),
    );
  });

  it('gives the same state in one go as tick by tick', () => {
    fc.assert(
      fc.property(anyWatchedVm, anySightings, (vm, sightings) => {
        const ticks = [...new Set(sightings.map((one) => one.dueAtMs))].toSorted((a, b) => a - b);
        let stepwise = vm;
        for (const tick of ticks) {
          const due = sightings.filter((one) => one.dueAtMs === tick);
          stepwise = after(stepwise, foldLook(stepwise, due, tick));
        }
        const atOnce = after(vm, foldLook(vm, sightings, NOW));
        expect(atOnce.checks).toEqual(stepwise.checks);
        expect(atOnce.health.status).toBe(stepwise.health.status);
      }),
    );
  });

  it('takes each sighting of a check of this VM once, and those of checks that are gone never', () => {
    fc.assert(
      fc.property(anyWatchedVm, anySightings, (vm, sightings) => {
        const known = new Set(vm.checks.map((check) => check.checkId));
        const { folded, states } = foldLook(vm, [...sightings, ...sightings], NOW);
        expect(new Set(folded)).toEqual(new Set(sightings.filter((one) => known.has(one.checkId))));
        expect(folded).toHaveLength(new Set(folded).size);
        expect(new Set(states.map((state) => state.checkId))).toEqual(new Set(folded.map((one) => one.checkId)));
      }),
    );
  });

  it('leaves out a tick older than the last one folded', () => {
    const vm = watchedVm();
    const seen = (dueAtMs: number, outcome: 'healthy' | 'unhealthy'): Seen => {
      const sighting = { observation: observed(outcome), summary: outcome };
      return { checkId: 'http-1', dueAtMs, beganAtMs: dueAtMs, sighting };
    };
    const known = after(vm, foldLook(vm, [seen(NOW, 'healthy')], NOW));
    const late = foldLook(known, [seen(NOW - MINUTE, 'unhealthy'), seen(NOW, 'unhealthy')], NOW);
    expect(late).toEqual({ health: known.health, transition: null, states: [], folded: [] });
  });

  it('leaves what it was given as it was', () => {
    fc.assert(
      fc.property(anyWatchedVm, anySightings, (vm, sightings) => {
        const before = structuredClone({ vm, sightings });
        foldLook(vm, sightings, NOW);
        expect({ vm, sightings }).toEqual(before);
      }),
    );
  });
});
