import { expect, it } from 'vitest';
import { TRAITS_OF_UNKNOWN_TYPE } from '../../domain/check-traits.ts';
import { timeoutOf } from '../../domain/watched.ts';

it('a check has its own timeout, else ten seconds, or its interval where that is shorter', () => {
  expect(timeoutOf({ intervalSeconds: 60, timeoutSeconds: 25 })).toBe(25_000);
  expect(timeoutOf({ intervalSeconds: 60, timeoutSeconds: null })).toBe(10_000);
  expect(timeoutOf({ intervalSeconds: 4, timeoutSeconds: null })).toBe(4_000);
});

it('a check of a type that this version does not know starts no power action', () => {
  expect(TRAITS_OF_UNKNOWN_TYPE).toEqual({ about: 'load', needsCorroboration: true });
});
