import type { ProbeResult } from './probe-result.ts';

/** A stretch of time in which Defib could receive reports; stored anew every 10 s. */
export interface ListeningSpan {
  fromMs: number;
  untilMs: number;
}

/** What is known of the heartbeats of a VM's agent; times in epoch ms. */
export interface HeartbeatFacts {
  /** Receive time (ours) of the last live heartbeat; null when none was ever received. */
  lastHeartbeatAtMs: number | null;
  /** Since when an agent is expected: the check's creation. */
  expectedSinceMs: number;
  /** When Defib could receive reports, oldest first, not overlapping. */
  listening: readonly ListeningSpan[];
  /** Age after which a heartbeat is stale, in ms. */
  staleAfterMs: number;
}

/**
 * Judges the age of a heartbeat. Fresh by the wall clock is healthy. Otherwise silence counts only while Defib could receive
 * reports, and only once it could without interruption for one stale period.
 */
export function judgeHeartbeat(facts: HeartbeatFacts, nowMs: number): Omit<ProbeResult, 'summary'> {
  const { lastHeartbeatAtMs, staleAfterMs } = facts;
  const lastHeartbeat = lastHeartbeatAtMs === null ? null : new Date(lastHeartbeatAtMs).toISOString();
  const measured = { latencyMs: null, rawResponse: { lastHeartbeat }, provesAim: lastHeartbeatAtMs !== null };
  if (lastHeartbeatAtMs !== null && nowMs - lastHeartbeatAtMs <= staleAfterMs) {
    return { status: 'healthy', reason: 'ok', message: null, ...measured };
  }
  const since = lastHeartbeatAtMs ?? facts.expectedSinceMs;
  const heardFor = listenedMs(facts.listening, since, nowMs);
  const present = facts.listening.at(-1);
  const presentMs = present ? listenedMs([present], since, nowMs) : 0;
  if (heardFor <= staleAfterMs || presentMs < staleAfterMs) {
    const message = `Not yet heard from the agent: listening for ${seconds(presentMs)} of ${seconds(staleAfterMs)}`;
    return { status: 'unknown', reason: 'not-yet-heard', message, ...measured };
  }
  if (lastHeartbeatAtMs === null) {
    return { status: 'unhealthy', reason: 'no-heartbeat', message: 'No agent heartbeat received', ...measured };
  }
  const message = `Agent heartbeat stale (${seconds(heardFor)} old)`;
  return { status: 'unhealthy', reason: 'heartbeat-stale', message, ...measured };
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
