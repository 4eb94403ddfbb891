import { expect, it } from 'vitest';
import { type CarriedOutRemedy, healEnding } from '../../domain/heal-ending.ts';

const BEGAN = 1_000_000;
const NOW = BEGAN + 600_000;
const RECOVERED = { reason: 'recovered', line: 'over (recovered)' };
const reset = (more: Partial<CarriedOutRemedy> = {}): CarriedOutRemedy => ({
  what: 'reset',
  attempt: 1,
  carriedOutAtMs: BEGAN + 10_000,
  judged: { helped: true, atMs: BEGAN + 48_000 },
  ...more,
});

it.each([
  ['says what helped and how long it took', reset(), 'recovered 38 s after reset (attempt 1)'],
  ['leaves out an attempt that it does not know', reset({ attempt: null }), 'recovered 38 s after reset'],
  [
    'says when a remedy helped late',
    reset({ judged: { helped: false, atMs: BEGAN + 130_000 } }),
    'recovered 9 min after reset (attempt 1), which had not helped in its time',
  ],
  ['claims nothing of a remedy that nobody judged', reset({ judged: null }), 'recovered 9 min after reset (attempt 1)'],
  ['says when nothing was done', null, 'recovered by itself, 10 min after this heal began'],
])('the ending of a heal %s', (_what, remedy, ending) => {
  expect(healEnding(RECOVERED, remedy, BEGAN, NOW)).toBe(ending);
});

it('the ending of a heal that is over for another reason is that reason', () => {
  const deleted = { reason: 'vm-deleted', line: 'over (vm-deleted)' };
  expect(healEnding(deleted, reset(), BEGAN, NOW)).toBe('over (vm-deleted)');
});
