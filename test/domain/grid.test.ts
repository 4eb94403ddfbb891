import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  dueTick,
  MAX_AHEAD_MS,
  msToNextTick,
  phaseOf,
  plausibleTime,
  tickAfter,
  tickAtOrBefore,
} from '../../domain/grid.ts';
import { anyInstant, anyIntervalMs, HOUR, MINUTE, SECOND } from './examples.ts';

const anyVm = fc.oneof(fc.uuid(), fc.string());

/** Off the grid by nothing: differs from the VM's phase by whole intervals. */
function isTick(vmId: string, intervalMs: number, atMs: number): boolean {
  return (atMs - (phaseOf(vmId) % intervalMs)) % intervalMs === 0;
}

describe('the grid of due times', () => {
  it('has the last tick no later than now, the next one after it, and nothing between', () => {
    fc.assert(
      fc.property(anyVm, anyIntervalMs, anyInstant, (vmId, intervalMs, nowMs) => {
        const last = tickAtOrBefore(vmId, intervalMs, nowMs);
        const next = tickAfter(vmId, intervalMs, nowMs);
        expect(isTick(vmId, intervalMs, last)).toBe(true);
        expect(isTick(vmId, intervalMs, next)).toBe(true);
        expect(last).toBeLessThanOrEqual(nowMs);
        expect(next).toBeGreaterThan(nowMs);
        expect(next - last).toBe(intervalMs);
      }),
    );
  });

  it('is the same for ever: the tick of a tick is that tick', () => {
    fc.assert(
      fc.property(anyVm, anyIntervalMs, anyInstant, (vmId, intervalMs, nowMs) => {
        const tick = tickAtOrBefore(vmId, intervalMs, nowMs);
        expect(tickAtOrBefore(vmId, intervalMs, tick)).toBe(tick);
        expect(tickAtOrBefore(vmId, intervalMs, tick - 1)).toBe(tick - intervalMs);
      }),
    );
  });

  it('makes the ticks of a slow check ticks of every faster one whose interval divides it', () => {
    fc.assert(
      fc.property(anyVm, anyIntervalMs, fc.integer({ min: 1, max: 60 }), anyInstant, (vmId, fastMs, times, nowMs) => {
        expect(isTick(vmId, fastMs, tickAtOrBefore(vmId, fastMs * times, nowMs))).toBe(true);
      }),
    );
  });

  it.each([
    ['VMs numbered in a row', (i: number) => `vm-${i}`],
    ['instances with leading zeros', (i: number) => `instance-${String(i).padStart(6, '0')}`],
    ['UUIDs that differ in their end', (i: number) => `0191b2c4-7d00-7000-8000-${i.toString(16).padStart(12, '0')}`],
  ])('spreads %s evenly over the interval', (_title, idOf) => {
    for (const intervalMs of [5 * SECOND, MINUTE, HOUR]) {
      const tenths = Array.from({ length: 10 }, () => 0);
      for (let i = 0; i < 5_000; i++) {
        const tenth = Math.floor(((phaseOf(idOf(i)) % intervalMs) / intervalMs) * 10);
        tenths[tenth] = (tenths[tenth] ?? 0) + 1;
      }
      // 500 each, were they drawn at random: a standard deviation of 21
      for (const count of tenths) expect(Math.abs(count - 500)).toBeLessThan(110);
    }
  });

  it('gives an id the same phase on every machine', () => {
    // FNV-1a's published test vectors: http://www.isthe.com/chongo/src/fnv/test_fnv.c
    expect([phaseOf(''), phaseOf('a'), phaseOf('foobar')]).toEqual([0x811c9dc5, 0xe40c292c, 0xbf9cf968]);
  });
});

describe('the tick to look for', () => {
  it('is the one just passed for a check that was never looked at', () => {
    fc.assert(
      fc.property(anyVm, anyIntervalMs, anyInstant, (vmId, intervalMs, nowMs) => {
        expect(dueTick({ vmId, intervalMs, lastDueAtMs: null }, nowMs)).toBe(tickAtOrBefore(vmId, intervalMs, nowMs));
      }),
    );
  });

  it('is on the grid, never in the future, newer than the last one, and not long past after missed ticks', () => {
    const anyAge = fc.integer({ min: -MINUTE, max: 48 * HOUR });
    fc.assert(
      fc.property(anyVm, anyIntervalMs, anyInstant, anyAge, (vmId, intervalMs, nowMs, ageMs) => {
        const lastDueAtMs = nowMs - ageMs;
        const due = dueTick({ vmId, intervalMs, lastDueAtMs }, nowMs);
        if (due === null) return;
        expect(isTick(vmId, intervalMs, due)).toBe(true);
        expect(due).toBeLessThanOrEqual(nowMs);
        expect(due).toBeGreaterThan(lastDueAtMs);
        if (due - lastDueAtMs > intervalMs) {
          expect(nowMs - due).toBeLessThanOrEqual(Math.max(2 * SECOND, intervalMs / 10));
        }
      }),
    );
  });

  it('is the one just passed after one that only a clock far ahead can have noted', () => {
    const anyLead = fc.integer({ min: MINUTE + 1, max: 400 * 24 * HOUR });
    fc.assert(
      fc.property(anyVm, anyIntervalMs, anyInstant, anyLead, (vmId, intervalMs, nowMs, leadMs) => {
        const due = dueTick({ vmId, intervalMs, lastDueAtMs: nowMs + leadMs }, nowMs);
        expect(due).toBe(tickAtOrBefore(vmId, intervalMs, nowMs));
      }),
    );
  });

  it('is left out after missed ones when it is late by more than 2 s and a tenth of the interval', () => {
    const vmId = 'vm-1';
    const tick = tickAtOrBefore(vmId, MINUTE, Date.parse('2026-11-22T08:00:00Z'));
    const dueAfter = (lateMs: number) =>
      dueTick({ vmId, intervalMs: MINUTE, lastDueAtMs: tick - 2 * MINUTE }, tick + lateMs);
    expect([dueAfter(0), dueAfter(6_000), dueAfter(6_001)]).toEqual([tick, tick, null]);
    const fast = tickAtOrBefore(vmId, 5 * SECOND, tick);
    const fastAfter = (lateMs: number) =>
      dueTick({ vmId, intervalMs: 5 * SECOND, lastDueAtMs: fast - 10 * SECOND }, fast + lateMs);
    expect([fastAfter(2_000), fastAfter(2_001)]).toEqual([fast, null]);
  });

  it('is looked at however late when it is the next in turn', () => {
    const vmId = 'vm-1';
    const tick = tickAtOrBefore(vmId, MINUTE, Date.parse('2026-11-22T08:00:00Z'));
    const dueAfter = (lateMs: number) =>
      dueTick({ vmId, intervalMs: MINUTE, lastDueAtMs: tick - MINUTE }, tick + lateMs);
    expect([dueAfter(-1), dueAfter(0), dueAfter(59_999)]).toEqual([null, tick, tick]);
    // the one after it was missed meanwhile, and this one is late
    expect(dueAfter(MINUTE + 6_001)).toBeNull();
  });

  it('comes once and none is missed, however irregularly a caller asks within the leeway', () => {
    const anyCaller = anyIntervalMs.chain((intervalMs) => {
      const leewayMs = Math.min(intervalMs, Math.max(2 * SECOND, intervalMs / 10));
      return fc.record({
        intervalMs: fc.constant(intervalMs),
        waitsMs: fc.array(fc.integer({ min: 1, max: leewayMs }), { minLength: 1, maxLength: 300 }),
      });
    });
    fc.assert(
      fc.property(anyVm, anyInstant, anyCaller, (vmId, startMs, { intervalMs, waitsMs }) => {
        let nowMs = startMs;
        let lastDueAtMs: number | null = null;
        const got: number[] = [];
        for (const waitMs of [0, ...waitsMs]) {
          nowMs += waitMs;
          const due = dueTick({ vmId, intervalMs, lastDueAtMs }, nowMs);
          if (due === null) continue;
          got.push(due);
          lastDueAtMs = due;
          expect(dueTick({ vmId, intervalMs, lastDueAtMs }, nowMs)).toBeNull();
        }
        const first = tickAtOrBefore(vmId, intervalMs, startMs);
        const count = Math.floor((tickAtOrBefore(vmId, intervalMs, nowMs) - first) / intervalMs) + 1;
        expect(got).toEqual(Array.from({ length: count }, (_, i) => first + i * intervalMs));
      }),
    );
  });

  it('is not missed by a caller that sleeps until the next tick and wakes a little late', () => {
    const anyLateness = fc.array(fc.integer({ min: 0, max: 900 }), { minLength: 1, maxLength: 100 });
    fc.assert(
      fc.property(anyVm, anyInstant, anyIntervalMs, anyLateness, (vmId, startMs, intervalMs, lateness) => {
        let nowMs = startMs;
        let lastDueAtMs = dueTick({ vmId, intervalMs, lastDueAtMs: null }, nowMs);
        for (const lateMs of lateness) {
          nowMs += msToNextTick(vmId, [intervalMs], nowMs) + lateMs;
          const due = dueTick({ vmId, intervalMs, lastDueAtMs }, nowMs);
          expect(due).toBe((lastDueAtMs ?? 0) + intervalMs);
          lastDueAtMs = due;
        }
      }),
    );
  });
});

describe('the wait until the next tick', () => {
  it('ends at the first tick of any check, at least 1 ms from now', () => {
    const anyIntervals = fc.array(anyIntervalMs, { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(anyVm, anyIntervals, anyInstant, (vmId, intervalsMs, nowMs) => {
        const waitMs = msToNextTick(vmId, intervalsMs, nowMs);
        expect(waitMs).toBeGreaterThanOrEqual(1);
        expect(waitMs).toBeLessThanOrEqual(Math.min(...intervalsMs));
        expect(intervalsMs.some((intervalMs) => isTick(vmId, intervalMs, nowMs + waitMs))).toBe(true);
        for (const intervalMs of intervalsMs) {
          expect(tickAtOrBefore(vmId, intervalMs, nowMs + waitMs - 1)).toBeLessThanOrEqual(nowMs);
        }
      }),
    );
  });

  it('is a millisecond just before a tick, and an interval at it', () => {
    const tick = tickAtOrBefore('vm-1', MINUTE, Date.parse('2026-11-22T08:00:00Z'));
    expect([tick - 1, tick].map((nowMs) => msToNextTick('vm-1', [MINUTE], nowMs))).toEqual([1, MINUTE]);
  });
});

it('a stored time is believed up to a minute ahead of now', () => {
  expect([null, 5, 60_005].map((storedAtMs) => plausibleTime(storedAtMs, 5))).toEqual([null, 5, 60_005]);
  expect(plausibleTime(60_006, 5)).toBeNull();
  expect(MAX_AHEAD_MS).toBe(60_000);
});
