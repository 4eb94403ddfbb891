import { expect, it } from 'vitest';
import { planOf } from './draw-plan.ts';
import { suffered } from './played.ts';

const BEGAN_MS = Date.UTC(2026, 0, 1);
const MINUTE_MS = 60_000;
const played = {
  beganAtMs: BEGAN_MS,
  plan: {
    ...planOf(1, { hours: 1, vms: 1 }),
    faults: [{ kind: 'database-away' as const, atMs: 10 * MINUTE_MS, forMs: MINUTE_MS }],
  },
};
const between = (from: number, until: number) =>
  suffered(played, ['database-away', 'clock-off'], BEGAN_MS + from * MINUTE_MS, BEGAN_MS + until * MINUTE_MS);

it.each([
  [10.5, 10.6],
  [9, 20],
  // what it leaves behind
  [11.5, 12.5],
])('a fault excuses what was while it lasted or just after: from minute %f to %f', (from, until) => {
  expect(between(from, until)).toBe(true);
});

it.each([
  [8, 9],
  [13, 20],
])('a fault excuses nothing of before, and nothing of long after: from minute %f to %f', (from, until) => {
  expect(between(from, until)).toBe(false);
});

it('another kind of fault excuses nothing', () => {
  expect(suffered(played, ['clock-off'], BEGAN_MS, BEGAN_MS + 20 * MINUTE_MS)).toBe(false);
});
