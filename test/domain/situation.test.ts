import { describe, expect, it } from 'vitest';
import type { IncidentFacts, LastOperation, LastStep } from '../../domain/incident.ts';
import { type SituationFacts, situationOf } from '../../domain/situation.ts';
import { policy } from './examples.ts';

const NOON = Date.parse('2026-11-22T12:00:00Z');
const MINUTE = 60_000;

const TIMEOUT = { reason: 'timeout', message: 'no answer in 2 s', checkType: 'http' };

function facts(more: Partial<SituationFacts> = {}): SituationFacts {
  return {
    status: 'unhealthy',
    unknownReason: null,
    reasons: [TIMEOUT],
    paused: null,
    consecutiveFailures: 3,
    lastHealthyAtMs: NOON - 5 * MINUTE,
    incident: null,
    nowMs: NOON,
    ...more,
  };
}

const sentenceOf = (more: Partial<SituationFacts>) => situationOf(facts(more)).sentence;

const HOLD: LastStep = {
  kind: 'hold',
  reason: 'cooldown',
  sentence: 'the last attempt was too recent',
  wouldChange: 'time: the next attempt may be made at 2026-11-22T12:04:00.000Z',
  lookAgainInMs: 4 * MINUTE,
  decidedAtMs: NOON,
};
const ACT: LastStep = { ...HOLD, kind: 'act', reason: '3 consecutive failures', sentence: null, wouldChange: null };
const RESTART: LastOperation = {
  action: 'restart',
  attempt: 2,
  state: 'done',
  result: 'pending',
  intendedAtMs: NOON - MINUTE,
  endedAtMs: NOON - MINUTE,
  verifyMs: 3 * MINUTE,
};

function incident(lastStep: LastStep | null, lastOperation: LastOperation | null = null): IncidentFacts {
  return { number: 4, openedAtMs: NOON - 2 * MINUTE, lastStep, lastOperation };
}

describe('a VM without an incident', () => {
  it.each([
    ['healthy', { status: 'healthy', reasons: [] }, 'Healthy.'],
    [
      'healthy but for a check that can not tell',
      { status: 'healthy', reasons: [{ reason: 'not-permitted', message: null, checkType: 'ping' }] },
      'Healthy (ping: not-permitted).',
    ],
    ['not looked at', { status: 'unknown', reasons: [] }, 'Not looked at yet.'],
    [
      'ill, and of no policy',
      { policy: null },
      'Unhealthy (http: no answer in 2 s); last healthy at 2026-11-22T11:55:00.000Z, 3 failed in a row. No policy covers it, so people have to see to it.',
    ],
    [
      'not ill for long enough',
      { status: 'degraded', consecutiveFailures: 1, policy: policy({ name: 'web', triggerAfterFailures: 3 }) },
      'Degraded (http: no answer in 2 s); last healthy at 2026-11-22T11:55:00.000Z, 1 failed in a row. Policy "web" (restart) acts when a check about being alive has failed 3 times in a row, over at least 2 of its intervals.',
    ],
    [
      'ill often enough',
      { lastHealthyAtMs: null, policy: policy({ name: 'web', unhealthyForSeconds: 90 }) },
      'Unhealthy (http: no answer in 2 s); never seen healthy, 3 failed in a row. Policy "web" (restart) acts when a check about being alive has failed 3 times in a row, over at least 90 s.',
    ],
    [
      'ill, and of a policy that acts at once',
      { status: 'degraded', consecutiveFailures: 1, policy: policy({ name: 'web', triggerAfterFailures: 1 }) },
      'Degraded (http: no answer in 2 s); last healthy at 2026-11-22T11:55:00.000Z, 1 failed in a row. Policy "web" (restart) acts when a check about being alive has failed once.',
    ],
    [
      'ill by two checks',
      { reasons: [TIMEOUT, TIMEOUT], consecutiveFailures: 0 },
      'Unhealthy (http: no answer in 2 s), and 1 more of its checks; last healthy at 2026-11-22T11:55:00.000Z.',
    ],
    [
      'stopped on purpose',
      { unknownReason: 'stopped-on-purpose' },
      'Stopped on purpose. It is neither looked at nor healed until it is started.',
    ],
    [
      'without checks',
      { unknownReason: 'no-checks' },
      'It has no enabled checks, so nothing is known of it and nothing is done.',
    ],
    [
      'not watched',
      {
        unknownReason: 'not-watched',
        reasons: [{ reason: 'not-watched', message: 'Nobody has looked at it for 300 s.' }],
      },
      'Nobody has looked at it for 300 s. Nothing is done meanwhile.',
    ],
  ] as const)('that is %s', (_what, more, sentence) => {
    expect(sentenceOf(more as Partial<SituationFacts>)).toBe(sentence);
  });

  it('tells who paused it, since when and why', () => {
    const paused = { since: '2026-11-22T11:00:00.000Z', reason: 'rack move.', by: 'ann' };
    const told = situationOf(facts({ unknownReason: 'paused', paused, incident: incident(HOLD) }));
    expect(told.sentence).toBe(
      'Paused by ann since 2026-11-22T11:00:00.000Z: rack move. It is neither looked at nor healed until it is resumed.',
    );
    expect(told).toMatchObject({ paused, stoppedOnPurpose: false, notWatched: null, cannotTell: null });
    expect(told.incident).toMatchObject({ number: 4, state: 'holding' });
  });

  it('tells apart why nothing is known of it', () => {
    const reasons = [{ reason: 'x', message: 'because' }];
    const told = (unknownReason: SituationFacts['unknownReason']) => situationOf(facts({ unknownReason, reasons }));
    expect(told('cannot-tell')).toMatchObject({ cannotTell: 'because', notWatched: null, stoppedOnPurpose: false });
    expect(told('not-watched')).toMatchObject({ cannotTell: null, notWatched: 'because', stoppedOnPurpose: false });
    expect(told('no-checks')).toMatchObject({ cannotTell: null, notWatched: 'because', stoppedOnPurpose: false });
    expect(told('stopped-on-purpose')).toMatchObject({ cannotTell: null, notWatched: null, stoppedOnPurpose: true });
  });
});

describe('an incident', () => {
  const told = (open: IncidentFacts, nowMs = NOON) => {
    const { sentence, incident: parts } = situationOf(facts({ incident: open, nowMs }));
    return { ...parts, does: sentence.replace(/^.*failed in a row\. /, '') };
  };

  it('is deciding at first, and again once a remedy was judged', () => {
    const deciding = {
      state: 'deciding',
      nextAt: null,
      does: 'Incident 4 was opened, and what to do is being decided.',
    };
    expect(told(incident(null))).toMatchObject({
      ...deciding,
      number: 4,
      openedAt: '2026-11-22T11:58:00.000Z',
      reason: null,
    });
    const failed = { ...RESTART, result: 'failed', intendedAtMs: NOON } as const;
    expect(told(incident(ACT, failed))).toMatchObject({ ...deciding, lastAction: { result: 'failed' } });
  });

  it('is acting while a remedy is carried out', () => {
    for (const state of ['intended', 'sent'] as const) {
      const open = incident(ACT, { ...RESTART, state, intendedAtMs: NOON, endedAtMs: null });
      expect(told(open)).toMatchObject({
        state: 'acting',
        nextAt: null,
        reason: '3 consecutive failures',
        lastAction: { action: 'restart', attempt: 2, at: '2026-11-22T12:00:00.000Z', result: 'pending' },
        does: 'Incident 4: restart (attempt 2) is being carried out.',
      });
    }
  });

  it('is verifying until the window of its remedy is over', () => {
    const open = incident(ACT, { ...RESTART, intendedAtMs: NOON, endedAtMs: NOON + 1_000 });
    expect(told(open)).toMatchObject({
      state: 'verifying',
      nextAt: '2026-11-22T12:03:01.000Z',
      does: 'Incident 4: restart (attempt 2) was carried out, and looks show until 2026-11-22T12:03:01.000Z whether it helped.',
    });
  });

  it('holds with why, what would change it and when it is decided again, at most five minutes later', () => {
    expect(told(incident(HOLD, { ...RESTART, result: 'failed' }))).toMatchObject({
      state: 'holding',
      reason: 'cooldown',
      nextAt: '2026-11-22T12:04:00.000Z',
      does: 'Incident 4 holds (cooldown): the last attempt was too recent. Would change it: time: the next attempt may be made at 2026-11-22T12:04:00.000Z. Decided again by 2026-11-22T12:04:00.000Z.',
    });
    expect(told(incident({ ...HOLD, lookAgainInMs: 60 * MINUTE })).nextAt).toBe('2026-11-22T12:05:00.000Z');
  });

  it('is told to be late once it is, and names no time that has passed as one to come', () => {
    const late =
      'Incident 4 was to be decided again at 2026-11-22T12:04:00.000Z, and was not: see that workers run and Temporal answers.';
    expect(told(incident(HOLD), NOON + 5 * MINUTE).does).not.toBe(late);
    expect(told(incident(HOLD), NOON + 5 * MINUTE + 1).does).toBe(late);
  });

  it('goes on being told where its VM is not watched', () => {
    const reasons = [{ reason: 'not-watched', message: 'Nobody looks' }];
    expect(sentenceOf({ unknownReason: 'not-watched', reasons, incident: incident(null) })).toBe(
      'Nobody looks. Incident 4 was opened, and what to do is being decided.',
    );
  });
});
