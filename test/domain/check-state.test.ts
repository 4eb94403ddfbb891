import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CheckState, foldCheck, type Thresholds, unseenCheck } from '../../domain/check-state.ts';
import type { HealthStatus } from '../../domain/health.ts';
import type { Observation } from '../../domain/observation.ts';
import { anyOutcome, anyThresholds, observed } from './examples.ts';

type Outcome = Observation['outcome'];

const WORDS: Record<string, Outcome> = { '+': 'healthy', '-': 'unhealthy', '?': 'unknown' };
const LETTERS: Record<HealthStatus, string> = { unknown: 'u', healthy: 'h', degraded: 'd', unhealthy: 'U' };

const DEFAULTS: Thresholds = { failureThreshold: 3, successThreshold: 1 };

function foldAll(outcomes: readonly Outcome[], thresholds: Thresholds): CheckState[] {
  let state = unseenCheck('check-1', 'http');
  return outcomes.map((outcome, i) => {
    state = foldCheck(state, thresholds, {
      observation: observed(outcome),
      dueAtMs: i * 60_000,
      beganAtMs: i * 60_000 + 7,
    });
    return state;
  });
}

/** `+-?` in, `hdUu` out: one letter per observation. */
function story(observations: string, thresholds: Partial<Thresholds> = {}): string {
  const outcomes = [...observations].map((sign) => WORDS[sign] ?? 'unknown');
  return foldAll(outcomes, { ...DEFAULTS, ...thresholds })
    .map((state) => LETTERS[state.status])
    .join('');
}

describe('a check, observation by observation (+ healthy, - unhealthy, ? unknown → h, d, U, u)', () => {
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
 * The same rules told backwards from the end of the history, without a counter: the last run of equal answers decides,
 * or else whatever held before it.
 */
function byHistory(outcomes: readonly Outcome[], thresholds: Thresholds): HealthStatus {
  const told = outcomes.filter((outcome) => outcome !== 'unknown');
  const last = told.at(-1);
  if (last === undefined) return 'unknown';
  const runBegan = told.findLastIndex((outcome) => outcome !== last) + 1;
  const run = told.length - runBegan;
  const before = byHistory(told.slice(0, runBegan), thresholds);
  if (last === 'healthy') return before === 'unknown' || run >= thresholds.successThreshold ? 'healthy' : before;
  if (before === 'unhealthy') return 'unhealthy';
  return run >= thresholds.failureThreshold ? 'unhealthy' : 'degraded';
}

function trailing(outcomes: readonly Outcome[], wanted: Outcome): number {
  const told = outcomes.filter((outcome) => outcome !== 'unknown');
  return told.length - (told.findLastIndex((outcome) => outcome !== wanted) + 1);
}

describe('a check over any history', () => {
  const anyHistory = fc.array(anyOutcome, { maxLength: 40 });

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
        const seen = { observation: observed('unknown', { reason: 'not-yet-heard' }), dueAtMs: 9e6, beganAtMs: 9e6 };
        const after = foldCheck(before, thresholds, seen);
        expect(after).toEqual({ ...before, lastDueAtMs: 9e6, reason: 'not-yet-heard', message: 'look failed' });
      }),
    );
  });

  it('remembers when it last began a look that told, that was healthy and that was not', () => {
    fc.assert(
      fc.property(anyHistory, anyThresholds, (history, thresholds) => {
        const beganAt = (index: number) => (index < 0 ? null : index * 60_000 + 7);
        const last = foldAll(history, thresholds).at(-1) ?? unseenCheck('check-1', 'http');
        expect(last.lastCheckAtMs).toBe(beganAt(history.findLastIndex((outcome) => outcome !== 'unknown')));
        expect(last.lastHealthyAtMs).toBe(beganAt(history.lastIndexOf('healthy')));
        expect(last.lastUnhealthyAtMs).toBe(beganAt(history.lastIndexOf('unhealthy')));
        expect(last.lastDueAtMs).toBe(history.length === 0 ? null : (history.length - 1) * 60_000);
      }),
    );
  });
});
