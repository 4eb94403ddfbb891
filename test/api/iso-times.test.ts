import { expect, it } from 'vitest';
import { withIsoTimes } from '../../api/iso-times.ts';

const AT_MS = Date.parse('2026-11-22T08:00:00.000Z');
const AT = '2026-11-22T08:00:00.000Z';

it('instants in epoch ms are told in ISO 8601 under names without Ms, however deep; those that are not known stay null', () => {
  const stored = {
    atMs: AT_MS,
    lastLookAtMs: AT_MS,
    reading: { sinceMs: AT_MS, pausedSinceMs: null },
    windows: [{ untilMs: AT_MS, openUntilMs: AT_MS }],
  };
  expect(withIsoTimes(stored)).toEqual({
    at: AT,
    lastLookAt: AT,
    reading: { since: AT, pausedSince: null },
    windows: [{ until: AT, openUntil: AT }],
  });
});

it('durations, and whatever else there is, are left as they are', () => {
  const stored = {
    verifyMs: 120_000,
    failingForMs: null,
    lookAgainInMs: 15_000,
    atMs: 'noon',
    since: AT,
    seen: [1, 'a'],
  };
  expect(withIsoTimes(stored)).toEqual(stored);
});
