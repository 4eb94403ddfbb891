import type { ListeningSpan } from '../domain/agent-staleness.ts';
import type { JsonObject } from '../domain/json-value.ts';
import type { ProbeResult } from '../domain/probe-result.ts';

/** What a probe is given. Everything comes in; a probe reads no clock for decisions, no settings and no database. */
export interface ProbeInput {
  /** The VM's own address (IP literal or host name); null when it has none. */
  address: string | null;
  /** tcp: the port; http: a path or a URL; ping, agent: null. */
  target: string | null;
  timeoutMs: number;
  /** Check-specific options, validated when they were stored (http: `followRedirects`, `verifyTls`). */
  options: JsonObject;
  /** When this look began, epoch ms. */
  nowMs: number;
  /** What is known of the VM's agent; only the agent check reads it. */
  agent: AgentFacts;
}

export interface AgentFacts {
  /** Receive time (ours) of the last live heartbeat, epoch ms; null when none was ever received. */
  lastHeartbeatAtMs: number | null;
  /** Since when an agent is expected (the check's creation), epoch ms. */
  expectedSinceMs: number;
  /** When Defib could receive reports, oldest first, not overlapping. */
  listening: readonly ListeningSpan[];
  /** Age after which a heartbeat is stale, in ms (spec C "`agent` staleness"). */
  staleAfterMs: number;
}

/** One kind of check. `probe` resolves within about `timeoutMs` and never rejects because a VM is sick. */
export interface Check {
  readonly type: string;
  /** Problems with a target or options as a user would set them, each a full sentence; empty when fine. Pure. */
  validate(target: string | null, options: JsonObject, address: string | null): string[];
  probe(input: ProbeInput): Promise<ProbeResult>;
}
