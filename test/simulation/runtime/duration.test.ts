import { expect, it } from 'vitest';
import { inMs } from './duration.ts';

it.each([
  [250, 250],
  ['30s', 30_000],
  ['1 second', 1_000],
  ['20 seconds', 20_000],
  ['5 minutes', 300_000],
  ['1 hour', 3_600_000],
  [undefined, undefined],
  [null, undefined],
])('%s is so many ms', (duration, ms) => {
  expect(inMs(duration)).toBe(ms);
});

it.each(['5 moons', 'soon', '1.5 hours', ''])('"%s" is no duration that workflows use', (duration) => {
  expect(() => inMs(duration)).toThrow(`no duration: ${duration}`);
});
