import { judgeHeartbeat } from '../domain/agent-staleness.ts';
import type { Check, ProbeInput } from './check.ts';
import { rulesOf } from './configuration.ts';

/** The heartbeat of the agent inside the VM. Asks nobody: what was received, and when, comes in. */
export function createAgentCheck(): Check {
  return {
    type: 'agent',
    validate: rulesOf('agent'),
    probe: async (input) => {
      const judged = judgeHeartbeat(input.agent, input.nowMs);
      return { ...judged, summary: summaryOf(judged.reason, input) };
    },
  };
}

function summaryOf(reason: string, { agent, nowMs }: ProbeInput): string {
  if (reason === 'not-yet-heard') return 'agent not yet heard';
  if (agent.lastHeartbeatAtMs === null) return 'agent never heard';
  // a heartbeat may have come in after the look began
  const seconds = Math.max(0, Math.floor((nowMs - agent.lastHeartbeatAtMs) / 1000));
  return reason === 'ok' ? `agent ${seconds} s ago` : `agent silent for ${seconds} s`;
}
