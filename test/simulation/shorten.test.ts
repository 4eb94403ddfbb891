import { expect, it } from 'vitest';
import { planOf } from './draw-plan.ts';
import type { TimedFault } from './plan.ts';
import { shorten } from './shorten.ts';

const hang = (atMs: number): TimedFault => ({ kind: 'hang', vm: 0, slowly: false, atMs });
const planWith = (faults: TimedFault[]) => ({ ...planOf(1, { hours: 1, vms: 1 }), faults });
const times = (faults: readonly TimedFault[]) => faults.map(({ atMs }) => atMs);

it.each([[[3]], [[0, 39]], [[7, 8, 30]], [Array.from({ length: 40 }, (_, index) => index)]])(
  'finds the faults %j that are needed among forty',
  async (needed) => {
    const plan = planWith(Array.from({ length: 40 }, (_, index) => hang(index)));
    const shortened = await shorten(plan, async ({ faults }) => needed.every((atMs) => times(faults).includes(atMs)));
    expect(times(shortened.faults)).toEqual(needed);
  },
);

it('plays the same from the same seed, and another from another', () => {
  const plan = (seed: number) => JSON.stringify(planOf(seed, { hours: 2, vms: 3 }));
  expect(plan(7)).toBe(plan(7));
  expect(plan(7)).not.toBe(plan(8));
});
