import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type HeartbeatFacts,
  judgeHeartbeat,
  type ListeningSpan,
  listenedMs,
  staleAfter,
} from '../../domain/agent-staleness.ts';

const STALE = 300_000;
const span = (fromMs: number, untilMs: number): ListeningSpan => ({ fromMs, untilMs });

const STATUSES: Record<string, string> = {
  ok: 'healthy',
  'not-yet-heard': 'unknown',
  'heartbeat-stale': 'unhealthy',
  'no-heartbeat': 'unhealthy',
};

function judge(silence: Partial<HeartbeatFacts>, nowMs: number) {
  return judgeHeartbeat(
    { lastHeartbeatAtMs: null, expectedSinceMs: 0, listening: [], staleAfterMs: STALE, ...silence },
    nowMs,
  );
}

describe('a heartbeat', () => {
  it.each<[string, Partial<HeartbeatFacts>, number, string, string | null]>([
    ['just received', { lastHeartbeatAtMs: 1_000_000 }, 1_000_000, 'ok', null],
    ['at its limit', { lastHeartbeatAtMs: 0, listening: [span(0, STALE)] }, STALE, 'ok', null],
    [
      'past it',
      { lastHeartbeatAtMs: 0, listening: [span(0, STALE + 1)] },
      STALE + 1,
      'heartbeat-stale',
      'Agent heartbeat stale (300s old)',
    ],
    ['never received', { listening: [span(0, 301_000)] }, 301_000, 'no-heartbeat', 'No agent heartbeat received'],
    [
      'expected only now',
      { expectedSinceMs: 9e6, listening: [span(0, 9e6)] },
      9e6,
      'not-yet-heard',
      'Not yet heard from the agent: listening for 0s of 300s',
    ],
    [
      'of a time when nobody listened',
      { lastHeartbeatAtMs: 0 },
      9e6,
      'not-yet-heard',
      'Not yet heard from the agent: listening for 0s of 300s',
    ],
    [
      'from before an outage of our own',
      { lastHeartbeatAtMs: 0, listening: [span(0, 250_000), span(9e6, 9e6 + 299_999)] },
      9e6 + 299_999,
      'not-yet-heard',
      'Not yet heard from the agent: listening for 299s of 300s',
    ],
    [
      'still missing one stale period after it',
      { lastHeartbeatAtMs: 0, listening: [span(0, 250_000), span(9e6, 9e6 + STALE)] },
      9e6 + STALE,
      'heartbeat-stale',
      'Agent heartbeat stale (550s old)',
    ],
  ])('%s', (_, silence, nowMs, reason, message) => {
    expect(judge(silence, nowMs)).toMatchObject({ reason, message, latencyMs: null, status: STATUSES[reason] });
  });

  it('that was received shows when that was, and that its check is aimed right', () => {
    const heard = judge({ lastHeartbeatAtMs: Date.parse('2026-11-22T08:00:00Z') }, 0);
    expect(heard).toMatchObject({ rawResponse: { lastHeartbeat: '2026-11-22T08:00:00.000Z' }, provesAim: true });
    expect(judge({}, 0)).toMatchObject({ rawResponse: { lastHeartbeat: null }, provesAim: false });
  });

  it('that never came is no news in the first moment of the epoch either', () => {
    expect(judge({ lastHeartbeatAtMs: null, listening: [span(0, STALE)] }, STALE)).toMatchObject({
      reason: 'not-yet-heard',
    });
  });
});

const time = fc.integer({ min: 0, max: 10_000_000 });
const stale = fc.integer({ min: 1, max: 1_000_000 });
/** Spans as they are kept: oldest first, apart from each other. */
const spans = fc
  .uniqueArray(time, { maxLength: 8 })
  .map((times) => times.toSorted((a, b) => a - b))
  .map((times) =>
    times.flatMap((fromMs, i) => (i % 2 === 0 && i + 1 < times.length ? [span(fromMs, times[i + 1]!)] : [])),
  );
const facts = fc
  .record({ lastHeartbeatAtMs: fc.option(time), expectedSinceMs: time, listening: spans, staleAfterMs: stale })
  .chain((silence) => fc.record({ silence: fc.constant(silence), nowMs: time }));

describe('silence', () => {
  it('is only held against a VM for longer than one stale period in which Defib could receive', () => {
    fc.assert(
      fc.property(facts, ({ silence, nowMs }) => {
        const { status } = judgeHeartbeat(silence, nowMs);
        const since = silence.lastHeartbeatAtMs ?? silence.expectedSinceMs;
        if (status === 'unhealthy')
          expect(listenedMs(silence.listening, since, nowMs)).toBeGreaterThan(silence.staleAfterMs);
      }),
    );
  });

  it('is never held against a VM in the first stale period after an outage', () => {
    fc.assert(
      fc.property(facts, fc.nat(), ({ silence, nowMs }, sinceReturnMs) => {
        const presentMs = sinceReturnMs % silence.staleAfterMs;
        const back = span(nowMs + 1_000, nowMs + 1_000 + presentMs);
        const before = silence.listening.filter((one) => one.untilMs <= nowMs);
        const judged = judgeHeartbeat({ ...silence, listening: [...before, back] }, back.untilMs);
        expect(judged.status).not.toBe('unhealthy');
      }),
    );
  });

  it('turns from healthy to unhealthy at one moment while Defib listens without a break', () => {
    fc.assert(
      fc.property(time, stale, fc.nat(2_000_000), (heardAtMs, staleAfterMs, ageMs) => {
        const nowMs = heardAtMs + ageMs;
        const listening = [span(0, nowMs)];
        const judged = judgeHeartbeat(
          { lastHeartbeatAtMs: heardAtMs, expectedSinceMs: 0, listening, staleAfterMs },
          nowMs,
        );
        expect(judged.status).toBe(ageMs > staleAfterMs ? 'unhealthy' : 'healthy');
      }),
    );
  });

  it('ends with a fresh heartbeat, whether or not anybody listened', () => {
    fc.assert(
      fc.property(facts, fc.nat(), ({ silence, nowMs }, ageMs) => {
        const lastHeartbeatAtMs = nowMs - (ageMs % (silence.staleAfterMs + 1));
        expect(judgeHeartbeat({ ...silence, lastHeartbeatAtMs }, nowMs).status).toBe('healthy');
      }),
    );
  });

  it('heals nothing while it may be our own', () => {
    fc.assert(
      fc.property(facts, ({ silence, nowMs }) => {
        const judged = judgeHeartbeat({ ...silence, listening: [] }, nowMs);
        expect(judged.status).not.toBe('unhealthy');
      }),
    );
  });

  it('never shrinks by listening longer', () => {
    fc.assert(
      fc.property(spans, time, time, fc.nat(100_000), (listening, fromMs, untilMs, moreMs) => {
        expect(listenedMs(listening, fromMs, untilMs + moreMs)).toBeGreaterThanOrEqual(
          listenedMs(listening, fromMs, untilMs),
        );
        expect(listenedMs(listening, fromMs, untilMs)).toBeLessThanOrEqual(Math.max(0, untilMs - fromMs));
      }),
    );
  });
});

describe('the age at which a heartbeat is stale', () => {
  it("is the check's own, else twice the longer of its timeout and the agent's interval", () => {
    expect(staleAfter({ staleAfterSeconds: 90, timeoutMs: 500_000 }, 600_000)).toBe(90_000);
    expect(staleAfter({ staleAfterSeconds: null, timeoutMs: 10_000 }, 60_000)).toBe(120_000);
    expect(staleAfter({ staleAfterSeconds: null, timeoutMs: 100_000 }, 60_000)).toBe(200_000);
  });
});
