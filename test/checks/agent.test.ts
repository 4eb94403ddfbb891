import { describe, expect, it } from 'vitest';
import { look } from './a-look.ts';

const NOON = Date.UTC(2026, 0, 1, 12);
const agent = { expectedSinceMs: NOON - 3_600_000, staleAfterMs: 300_000 };
const listening = [{ fromMs: NOON - 3_600_000, untilMs: NOON }];

describe('the agent check', () => {
  it.each([
    ['a fresh heartbeat', NOON - 14_999, 'healthy', 'ok', 'agent 14 s ago', null],
    ['one received since the look began', NOON + 20, 'healthy', 'ok', 'agent 0 s ago', null],
    [
      'a stale one',
      NOON - 400_000,
      'unhealthy',
      'heartbeat-stale',
      'agent silent for 400 s',
      'Agent heartbeat stale (400s old)',
    ],
    ['none', null, 'unhealthy', 'no-heartbeat', 'agent never heard', 'No agent heartbeat received'],
  ])('with %s', async (_, lastHeartbeatAtMs, status, reason, summary, message) => {
    const result = await look('agent', {
      nowMs: NOON,
      facts: { heartbeat: { ...agent, lastHeartbeatAtMs, listening } },
    });
    const lastHeartbeat = lastHeartbeatAtMs === null ? null : new Date(lastHeartbeatAtMs).toISOString();
    const provesAim = lastHeartbeatAtMs !== null;
    expect(result).toEqual({
      status,
      reason,
      message,
      latencyMs: null,
      rawResponse: { lastHeartbeat },
      summary,
      provesAim,
    });
  });

  it('says so while Defib has not listened for long enough', async () => {
    const present = [{ fromMs: NOON - 10_000, untilMs: NOON }];
    const heartbeat = { ...agent, lastHeartbeatAtMs: NOON - 900_000, listening: present };
    const result = await look('agent', { nowMs: NOON, facts: { heartbeat } });
    expect(result).toMatchObject({ status: 'unknown', reason: 'not-yet-heard', provesAim: true });
    expect(result.summary).toBe('agent not yet heard');
  });
});
