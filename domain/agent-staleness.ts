import type { Observation } from './observation.ts';

/** A stretch of time in which Defib could receive reports; kept durable by a mark every 10 s. */
export interface ListeningSpan {
  fromMs: number;
  untilMs: number;
}

export interface AgentSilence {
  lastHeartbeatAtMs: number | null;
  expectedSinceMs: number;
  listening: readonly ListeningSpan[];
  staleAfterMs: number;
}

/**
 * Spec C "`agent` staleness". Fresh by the wall clock is healthy. Otherwise silence counts only while Defib could
 * receive, and it is not held against a VM until the present stretch of listening has lasted one stale period.
 */
export function judgeHeartbeat(silence: AgentSilence, nowMs: number): Observation {
  const { lastHeartbeatAtMs, staleAfterMs } = silence;
  const raw = { lastHeartbeat: lastHeartbeatAtMs === null ? null : new Date(lastHeartbeatAtMs).toISOString() };
  if (lastHeartbeatAtMs !== null && nowMs - lastHeartbeatAtMs <= staleAfterMs) {
    return { outcome: 'healthy', reason: 'ok', message: null, latencyMs: null, raw };
  }
  const since = lastHeartbeatAtMs ?? silence.expectedSinceMs;
  const heardFor = listenedMs(silence.listening, since, nowMs);
  const present = silence.listening.at(-1);
  const presentMs = present ? listenedMs([present], since, nowMs) : 0;
  if (heardFor <= staleAfterMs || presentMs < staleAfterMs) {
    const message = `Not yet heard from the agent: listening for ${seconds(presentMs)} of ${seconds(staleAfterMs)}`;
    return { outcome: 'unknown', reason: 'not-yet-heard', message, latencyMs: null, raw };
  }
  return lastHeartbeatAtMs === null
    ? { outcome: 'unhealthy', reason: 'no-heartbeat', message: 'No agent heartbeat received', latencyMs: null, raw }
    : {
        outcome: 'unhealthy',
        reason: 'heartbeat-stale',
        message: `Agent heartbeat stale (${seconds(heardFor)} old)`,
        latencyMs: null,
        raw,
      };
}

/** Milliseconds between two instants in which Defib was listening. */
export function listenedMs(spans: readonly ListeningSpan[], fromMs: number, untilMs: number): number {
  let total = 0;
  for (const span of spans) total += Math.max(0, Math.min(span.untilMs, untilMs) - Math.max(span.fromMs, fromMs));
  return total;
}

/**
 * How old a heartbeat may be, in ms: the check's own setting, else max(2 × timeout, 2 × the agent's report interval).
 */
export function staleAfter(
  check: { staleAfterSeconds: number | null; timeoutMs: number },
  reportIntervalMs: number,
): number {
  if (check.staleAfterSeconds !== null) return check.staleAfterSeconds * 1000;
  return Math.max(2 * check.timeoutMs, 2 * reportIntervalMs);
}

function seconds(ms: number): string {
  return `${Math.floor(ms / 1000)}s`;
}
