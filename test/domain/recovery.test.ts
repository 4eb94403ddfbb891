import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CheckFact } from '../../domain/facts.ts';
import type { HealthStatus } from '../../domain/health.ts';
import { hasRecovered, watchLimitMs } from '../../domain/recovery.ts';
import { expired, failing, HOUR, MINUTE, NOW, passing, SECOND } from './examples.ts';

const DONE = NOW - MINUTE;
const BEFORE = DONE - SECOND;
const AFTER = DONE + SECOND;

describe('a VM has recovered', () => {
  it.each<[title: string, recovered: boolean, checks: CheckFact[], doneAtMs: number | null]>([
    ['when it is healthy and nothing was done to it', true, [passing({ lastCheckAtMs: BEFORE })], null],
    ['when all its checks were healthy after the remedy', true, [passing({ lastCheckAtMs: AFTER })], DONE],
    ['not while it is unhealthy', false, [failing({ lastCheckAtMs: AFTER })], DONE],
    ['not while it is degraded', false, [failing({ status: 'degraded' })], null],
    ['not while nobody can tell', false, [failing({ status: 'unknown', lastCheckAtMs: null })], null],
    ['not by a look from before the remedy', false, [passing({ lastCheckAtMs: BEFORE })], DONE],
    ['not by a look that began as the remedy was done', false, [passing({ lastCheckAtMs: DONE })], DONE],
    [
      'not while one of its checks was only seen before the remedy',
      false,
      [passing({ lastCheckAtMs: AFTER }), passing({ checkId: 'tcp-1', lastCheckAtMs: BEFORE })],
      DONE,
    ],
    [
      'by the checks that can tell, when another never could',
      true,
      [passing({ lastCheckAtMs: AFTER }), failing({ status: 'unknown', lastCheckAtMs: null })],
      DONE,
    ],
    [
      'though another check was healthy before the remedy and can tell no more',
      true,
      [passing({ lastCheckAtMs: AFTER }), passing({ checkId: 'tcp-1', lastCheckAtMs: BEFORE, lastDueAtMs: AFTER })],
      DONE,
    ],
    [
      'not while a check that was ill before the remedy can tell no more',
      false,
      [passing({ lastCheckAtMs: AFTER }), failing({ checkId: 'tcp-1', lastCheckAtMs: BEFORE, lastDueAtMs: AFTER })],
      DONE,
    ],
    [
      'not when no check can tell any more since the remedy',
      false,
      [passing({ lastCheckAtMs: BEFORE, lastDueAtMs: AFTER })],
      DONE,
    ],
    [
      'by a healthy look since the remedy, though it can tell no more after that',
      true,
      [passing({ lastCheckAtMs: AFTER, lastDueAtMs: NOW, reason: 'fping-missing' })],
      DONE,
    ],
    [
      'not while another check was last due as the remedy was done',
      false,
      [passing({ lastCheckAtMs: AFTER }), passing({ checkId: 'tcp-1', lastCheckAtMs: BEFORE, lastDueAtMs: DONE })],
      DONE,
    ],
    ['by a first healthy look when nothing was done to it', true, [passing({ lastCheckAtMs: null })], null],
    ['not by having no checks left', false, [], DONE],
    ['when it is alive, whatever its load or upkeep', true, [passing({ lastCheckAtMs: AFTER }), expired()], DONE],
    ['not because its load is well', false, [failing(), expired({ status: 'healthy' })], null],
    ['not because its load is well, when nothing says that it is alive', false, [expired({ status: 'healthy' })], null],
    [
      'though its load was not looked at since the remedy',
      true,
      [passing({ lastCheckAtMs: AFTER }), expired({ status: 'healthy', lastCheckAtMs: BEFORE })],
      DONE,
    ],
    [
      'not when all checks that could tell are gone and new ones have not answered',
      false,
      [failing({ status: 'unknown', lastCheckAtMs: null })],
      DONE,
    ],
  ])('%s', (_title, recovered, checks, lastRemedyDoneAtMs) => {
    expect(hasRecovered({ checks, lastRemedyDoneAtMs })).toBe(recovered);
  });

  it('never by looks that all began before the last remedy was done', () => {
    const anyCheck = fc
      .record({
        status: fc.constantFrom<HealthStatus>('unknown', 'healthy', 'degraded', 'unhealthy'),
        lastCheckAtMs: fc.option(fc.integer({ min: DONE - 48 * HOUR, max: DONE })),
      })
      .map((given) => failing(given));
    fc.assert(
      fc.property(fc.array(anyCheck, { maxLength: 5 }), (checks) => {
        expect(hasRecovered({ checks, lastRemedyDoneAtMs: DONE })).toBe(false);
      }),
    );
  });
});

describe('a VM is not watched', () => {
  it('after three intervals and a timeout of its most frequent check', () => {
    const checks = [
      { intervalMs: 60 * SECOND, timeoutMs: 10 * SECOND },
      { intervalMs: 5 * SECOND, timeoutMs: 2 * SECOND },
    ];
    expect(watchLimitMs(checks)).toBe(17 * SECOND);
  });

  it('at all when it has no checks', () => {
    expect(watchLimitMs([])).toBe(0);
  });
});
