import { z } from 'zod';
import { judgeHeartbeat } from '../domain/agent-staleness.ts';
import type { ProbeResult } from '../domain/probe-result.ts';
import { defineCheck, type ProbeInput } from './check.ts';
import { noTarget } from './target.ts';

/** The heartbeat of the agent inside the VM. Connects to nothing: it is given what was received, and when. */
export const agent = defineCheck({
  type: 'agent',
  about: 'alive',
  needsCorroboration: true,
  targetIs: null,
  options: z.strictObject({}),
  needs: ['heartbeat'],
  readTarget: noTarget('agent'),
  problems: () => [],
  endpoint: () => null,
  createProbe: () => probe,
});

async function probe({ facts, nowMs }: ProbeInput<'heartbeat'>): Promise<ProbeResult> {
  const judged = judgeHeartbeat(facts.heartbeat, nowMs);
  return { ...judged, summary: summaryOf(judged.reason, facts.heartbeat.lastHeartbeatAtMs, nowMs) };
}

function summaryOf(reason: string, lastHeartbeatAtMs: number | null, nowMs: number): string {
  if (reason === 'not-yet-heard') return 'agent not yet heard';
  if (lastHeartbeatAtMs === null) return 'agent never heard';
  // a heartbeat may have come in after the look began
  const seconds = Math.max(0, Math.floor((nowMs - lastHeartbeatAtMs) / 1000));
  return reason === 'ok' ? `agent ${seconds} s ago` : `agent silent for ${seconds} s`;
}
