import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CheckState, failingForMs, foldCheck, type Thresholds, unseenCheck } from '../../domain/check-state.ts';
import type { HealthStatus } from '../../domain/health.ts';
import type { ProbeResult } from '../../domain/probe-result.ts';
import { anyResultStatus, anyThresholds, probeResult } from './examples.ts';

type Status = ProbeResult['status'];

const WORDS: Record<string, Status> = { '+': 'healthy', '-': 'unhealthy', '?': 'unknown' };
const LETTERS: Record<HealthStatus, string> = { unknown: 'u', healthy: 'h', degraded: 'd', unhealthy: 'U' };

const DEFAULTS: Thresholds = { failureThreshold: 3, successThreshold: 1 };

/** Its ticks are whole minutes. */
const ON_THE_MINUTE = 'vm-96440';

const every = (seconds: number, thresholds: Thresholds) => ({
  vmId: ON_THE_MINUTE,
  retryIntervalMs: seconds * 1000,
  thresholds,
});

function foldAll(statuses: readonly Status[], thresholds: Thresholds): CheckState[] {
  let state = unseenCheck('check-1', 'http');
  return statuses.map((status, i) => {
    state = foldCheck(state, every(60, thresholds), {
      ...probeResult(status),
      dueAtMs: i * 60_000,
      checkedAtMs: i * 60_000 + 7,
    });
    return state;
  });
}

/** `+-?` in, `hdUu` out: one letter per result. */
function story(signs: string, thresholds: Partial<Thresholds> = {}): string {
  const statuses = [...signs].map((sign) => WORDS[sign] ?? 'unknown');
  return foldAll(statuses, { ...DEFAULTS, ...thresholds })
    .map((state) => LETTERS[state.status])
    .join('');
}

describe('a check, result by result (+ healthy, - unhealthy, ? unknown → h, d, U, u)', () => {
  it.each<[title: string, seen: string, thresholds: Partial<Thresholds>, expected: string]>([
    ['stays unknown while nobody can tell', '???', {}, 'uuu'],
    ['is healthy after its first success', '+', { successThreshold: 3 }, 'h'],
    ['is degraded after its first failure', '-', {}, 'd'],
    ['is unhealthy at once with a threshold of 1', '-', { failureThreshold: 1 }, 'U'],
    ['is degraded below the failure threshold and unhealthy at it', '+---', {}, 'hddU'],
    ['stays unhealthy with further failures', '-----', {}, 'ddUUU'],
    ['recovers with one success by default', '---+', {}, 'ddUh'],
    ['counts failures anew after a success', '--+--', {}, 'ddhdd'],
    ['keeps its place while nobody can tell', '--??-', {}, 'ddddU'],
    ['is not made well by nobody being able to tell', '---??', {}, 'ddUUU'],
    ['stays unhealthy until the success threshold is reached', '---++', { successThreshold: 2 }, 'ddUUh'],
    ['stays degraded until the success threshold is reached', '+-++', { successThreshold: 2 }, 'hddh'],
    ['is not made better by a failure after too few successes', '---+-', { successThreshold: 2 }, 'ddUUU'],
    ['counts successes anew after a failure', '---+-+', { successThreshold: 2 }, 'ddUUUU'],
    ['counts successes on both sides of an unknown', '---+?+', { successThreshold: 2 }, 'ddUUUh'],
    ['stays healthy below the success threshold once it was healthy', '+++', { successThreshold: 5 }, 'hhh'],
  ])('%s: %s', (_title, seen, thresholds, expected) => {
    expect(story(seen, thresholds)).toBe(expected);
  });
});

/**
 * The same rules read backwards from the end of the history, without a counter: the last run of equal answers decides,
 * or else whatever held before it.
 */
function byHistory(statuses: readonly Status[], thresholds: Thresholds): HealthStatus {
  const conclusive = statuses.filter((status) => status !== 'unknown');
  const last = conclusive.at(-1);
  if (last === undefined) return 'unknown';
  const runBegan = conclusive.findLastIndex((status) => status !== last) + 1;
  const run = conclusive.length - runBegan;
  const before = byHistory(conclusive.slice(0, runBegan), thresholds);
  if (last === 'healthy') return before === 'unknown' || run >= thresholds.successThreshold ? 'healthy' : before;
  if (before === 'unhealthy') return 'unhealthy';
  return run >= thresholds.failureThreshold ? 'unhealthy' : 'degraded';
}

function trailing(statuses: readonly Status[], wanted: Status): number {
  const conclusive = statuses.filter((status) => status !== 'unknown');
  return conclusive.length - (conclusive.findLastIndex((status) => status !== wanted) + 1);
}

describe('failures of a check that is looked at every minute, at these seconds', () => {
  const NEVER = { failureThreshold: 1_000, successThreshold: 1 };

  /** The failures in a row that are counted after each look: seconds in, `+5` for a healthy one. */
  function counted(looks: string, intervalSeconds = 60): number[] {
    let state = unseenCheck('check-1', 'http');
    return looks.split(' ').map((look) => {
      const atMs = Number(look) * 1000;
      const found = probeResult(look.startsWith('+') ? 'healthy' : 'unhealthy', { message: `seen at ${look}` });
      state = foldCheck(state, every(intervalSeconds, NEVER), { ...found, dueAtMs: atMs, checkedAtMs: atMs });
      expect(state).toMatchObject({ lastDueAtMs: atMs, lastCheckAtMs: atMs, message: `seen at ${look}` });
      return state.consecutiveFailures;
    });
  }

  it.each<[title: string, looks: string, expected: number[]]>([
    ['are one when people ask three times within three seconds', '100 101.5 103', [1, 1, 1]],
    ['are one when its tick comes right after', '117 120', [1, 1]],
    ['are as many as there are when they are 5 s apart, as when it is watched closely', '100 105 110', [1, 2, 3]],
    ['are one just below that', '100 104.999', [1, 1]],
    ['are measured from the last one that counted, so that asking all the time stops nothing', '0 3 6 9', [1, 1, 2, 2]],
    ['count anew after a success in between', '100 +101 102', [1, 0, 1]],
    ['count when an earlier one was of a clock that was ahead', '9000 100 101 105', [1, 2, 2, 3]],
  ])('%s: %s', (_title, looks, expected) => {
    expect(counted(looks)).toEqual(expected);
  });

  it.each<[title: string, dueSeconds: number[], begunSeconds: number[], expected: number[]]>([
    ['the next tick comes right after one that was looked at late', [60, 120, 180], [119, 120, 180], [1, 1, 2]],
    ['the next tick comes right after the first look of all', [0, 60, 120], [59, 60, 120], [1, 1, 2]],
    ['all are late by a moment', [60, 65, 70], [64, 66, 71], [1, 2, 3]],
    ['one that was late was due before another that began before it', [60, 118, 180], [119, 118, 180], [1, 1, 2]],
  ])('are counted by when they began where they were late: %s', (_title, due, begun, expected) => {
    let state = unseenCheck('check-1', 'http');
    const counts = due.map((dueSeconds, i) => {
      const at = { dueAtMs: dueSeconds * 1000, checkedAtMs: begun[i]! * 1000 };
      state = foldCheck(state, every(60, NEVER), { ...probeResult('unhealthy'), ...at });
      return state.consecutiveFailures;
    });
    expect(counts).toEqual(expected);
  });

  it('are one only within its interval where that is shorter', () => {
    expect(counted('100 101 102', 1)).toEqual([1, 2, 3]);
    expect(counted('100 100.5 101', 1)).toEqual([1, 1, 2]);
  });
});

describe('a check over any history', () => {
  const anyHistory = fc.array(anyResultStatus, { maxLength: 40 });

  it('has the status that its whole history gives it', () => {
    fc.assert(
      fc.property(anyHistory, anyThresholds, (history, thresholds) => {
        const states = foldAll(history, thresholds);
        expect(states.map((state) => state.status)).toEqual(
          history.map((_, i) => byHistory(history.slice(0, i + 1), thresholds)),
        );
      }),
    );
  });

  it('counts what came in a row, and never both', () => {
    fc.assert(
      fc.property(anyHistory, anyThresholds, (history, thresholds) => {
        const last = foldAll(history, thresholds).at(-1);
        expect(last?.consecutiveFailures ?? 0).toBe(trailing(history, 'unhealthy'));
        expect(last?.consecutiveSuccesses ?? 0).toBe(trailing(history, 'healthy'));
      }),
    );
  });

  it('changes nothing but its tick and its reason when nobody can tell', () => {
    fc.assert(
      fc.property(anyHistory, anyThresholds, (history, thresholds) => {
        const before = foldAll(history, thresholds).at(-1) ?? unseenCheck('check-1', 'http');
        const result = { ...probeResult('unknown', { reason: 'not-yet-heard' }), dueAtMs: 9e6, checkedAtMs: 9e6 };
        const after = foldCheck(before, every(60, thresholds), result);
        expect(after).toEqual({ ...before, lastDueAtMs: 9e6, reason: 'not-yet-heard', message: 'look failed' });
      }),
    );
  });

  it('is proven since its first success, or the first result that says it had one', () => {
    const anyTold = fc.array(
      fc.record({ status: anyResultStatus, provesAim: fc.option(fc.boolean(), { nil: undefined }) }),
    );
    fc.assert(
      fc.property(anyTold, anyThresholds, (told, thresholds) => {
        const first = told.findIndex(({ status, provesAim }) => status === 'healthy' || provesAim === true);
        let state = unseenCheck('check-1', 'http');
        for (const [i, { status, provesAim }] of told.entries()) {
          const proof = provesAim === undefined ? {} : { provesAim };
          state = foldCheck(state, every(60, thresholds), {
            ...probeResult(status),
            ...proof,
            dueAtMs: i,
            checkedAtMs: i,
          });
          expect(state.provenAtMs).toBe(first >= 0 && i >= first ? first : null);
        }
      }),
    );
  });

  it('remembers when it last began a look that was conclusive, that was healthy and that was not', () => {
    fc.assert(
      fc.property(anyHistory, anyThresholds, (history, thresholds) => {
        const beganAt = (index: number) => (index < 0 ? null : index * 60_000 + 7);
        const last = foldAll(history, thresholds).at(-1) ?? unseenCheck('check-1', 'http');
        expect(last.lastCheckAtMs).toBe(beganAt(history.findLastIndex((status) => status !== 'unknown')));
        expect(last.lastHealthyAtMs).toBe(beganAt(history.lastIndexOf('healthy')));
        expect(last.lastUnhealthyAtMs).toBe(beganAt(history.lastIndexOf('unhealthy')));
        expect(last.lastDueAtMs).toBe(history.length === 0 ? null : (history.length - 1) * 60_000);
      }),
    );
  });
});

describe('how long a check has failed', () => {
  const fold = (state: CheckState, status: Status, seconds: number) =>
    foldCheck(state, every(5, DEFAULTS), {
      ...probeResult(status),
      dueAtMs: seconds * 1000,
      checkedAtMs: seconds * 1000,
    });

  it('is from the first of the failures in a row to the last; without any it is not known', () => {
    let state = unseenCheck('check-1', 'http');
    const lasts = (
      [
        ['-', 10],
        ['-', 15],
        ['?', 20],
        ['-', 25],
        ['+', 30],
        ['-', 35],
      ] as const
    ).map(([word, seconds]) => {
      state = fold(state, WORDS[word]!, seconds);
      return failingForMs(state);
    });
    expect(lasts).toEqual([0, 5_000, 5_000, 15_000, null, 0]);
  });

  it('is forgotten when it is healthy again', () => {
    const failed = fold(unseenCheck('check-1', 'http'), 'unhealthy', 10);
    expect(failed).toMatchObject({ failingSinceMs: 10_000, failedDueAtMs: 10_000 });
    expect(fold(failed, 'healthy', 15)).toMatchObject({ failingSinceMs: null, failedDueAtMs: null });
  });

  it('is never less than nothing, also when the first failure was of a clock that was ahead', () => {
    const ahead = fold(unseenCheck('check-1', 'http'), 'unhealthy', 9_000);
    expect(failingForMs(fold(ahead, 'unhealthy', 100))).toBe(0);
  });

  it('begins anew when the failures do, as with a reset of attempts', () => {
    const failed = fold(fold(unseenCheck('check-1', 'http'), 'unhealthy', 10), 'unhealthy', 60);
    expect(failingForMs(fold({ ...failed, consecutiveFailures: 0 }, 'unhealthy', 90))).toBe(0);
  });

  it('is from the earliest of them where the first was of a clock that was ahead, or nothing would be done until that time comes', () => {
    const ahead = fold(unseenCheck('check-1', 'http'), 'unhealthy', 86_400);
    const since = fold(ahead, 'unhealthy', 60);
    expect([60, 120, 180].map((seconds) => failingForMs(fold(since, 'unhealthy', seconds)))).toEqual([
      0, 60_000, 120_000,
    ]);
    // of one that was counted by a version before 0.2 it stays unknown
    expect(failingForMs(fold({ ...ahead, failingSinceMs: null }, 'unhealthy', 60))).toBeNull();
  });

  it('is from the tick before a look that people asked for, so that it does not delay what the next ticks show', () => {
    const asked = foldCheck(unseenCheck('check-1', 'http'), every(60, DEFAULTS), {
      ...probeResult('unhealthy'),
      dueAtMs: 100_000,
      checkedAtMs: 100_000,
    });
    expect(asked).toMatchObject({ failingSinceMs: 60_000, failedDueAtMs: 100_000 });
  });
});
