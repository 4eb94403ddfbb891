import { expect, it } from 'vitest';
import { TRAITS_OF_UNKNOWN_TYPE } from '../../domain/check-traits.ts';
import { retryIntervalOf, secondsToAnswer, timeoutOf } from '../../domain/watched.ts';

it('a check has its own timeout, else ten seconds, or its interval where that is shorter', () => {
  expect(timeoutOf({ intervalSeconds: 60, timeoutSeconds: 25 })).toBe(25_000);
  expect(timeoutOf({ intervalSeconds: 60, timeoutSeconds: null })).toBe(10_000);
  expect(timeoutOf({ intervalSeconds: 4, timeoutSeconds: null })).toBe(4_000);
});

it('a check that is not healthy has its own pace, else its interval, and never a longer one', () => {
  expect(retryIntervalOf({ intervalSeconds: 60, retryIntervalSeconds: 5 })).toBe(5_000);
  expect(retryIntervalOf({ intervalSeconds: 60, retryIntervalSeconds: null })).toBe(60_000);
  expect(retryIntervalOf({ intervalSeconds: 4, retryIntervalSeconds: 5 })).toBe(4_000);
});

it('a check has answered once within its interval and timeout', () => {
  expect(secondsToAnswer({ intervalSeconds: 60, timeoutSeconds: 25 })).toBe(85);
  expect(secondsToAnswer({ intervalSeconds: 60 })).toBe(70);
});

it('a check of a type that this version does not know starts no power action', () => {
  expect(TRAITS_OF_UNKNOWN_TYPE).toEqual({ about: 'load', needsCorroboration: true });
});
