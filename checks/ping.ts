import type { ProbeResult } from '../domain/probe-result.ts';
import type { Check, ProbeInput } from './check.ts';
import { rulesOf } from './configuration.ts';
import { startDeadline } from './deadline.ts';
import type { Egress } from './egress.ts';
import type { Ping, PingAnswer } from './fping.ts';
import { excerpt, type Failure, failedResult, healthyResult, noAddressResult } from './probe-result.ts';
import { lookFailed } from './system-errors.ts';

/** Does the VM answer an ICMP echo? The guard resolves its name: only a cleared IP literal reaches `ping`. */
export function createPingCheck(guard: Egress, ping: Ping): Check {
  return { type: 'ping', validate: rulesOf('ping'), probe: (input) => probe(guard, ping, input) };
}

async function probe(guard: Egress, ping: Ping, { address, timeoutMs }: ProbeInput): Promise<ProbeResult> {
  if (address === null) return noAddressResult('ping', { output: '' });
  const deadline = startDeadline(timeoutMs);
  try {
    const clearance = await guard.clear(address, null, address, deadline);
    if (!clearance.ok) return failedResult('ping', clearance.failure, { output: excerpt(clearance.failure.message) });
    const answer = await ping(clearance.address, timeoutMs);
    if (answer.kind === 'alive') return healthyResult('ping', answer.latencyMs, { output: answer.output });
    const line = answer.kind === 'silent' ? 'ping failed' : undefined;
    return failedResult('ping', failureOf(answer), { output: answer.output }, line);
  } finally {
    deadline.end();
  }
}

function failureOf({ kind, output }: Exclude<PingAnswer, { kind: 'alive' }>): Failure {
  switch (kind) {
    case 'silent':
      return { status: 'unhealthy', reason: 'ping-failed', message: 'Ping failed' };
    case 'not-sent':
      return ours(
        'no-route',
        `Ping could not be sent: ${output.replaceAll('\n', '; ')}. Look at this worker's network and firewall.`,
      );
    case 'fping-missing':
      return ours(
        'fping-missing',
        'fping is not installed where this worker runs: install it (apt install fping), or use a tcp check.',
      );
    case 'icmp-not-permitted':
      return ours(
        'icmp-not-permitted',
        'This worker may not send ICMP: run `setcap cap_net_raw+ep $(which fping)`, in a container add the capability NET_RAW, or use a tcp check.',
      );
    case 'look-failed':
      return lookFailed(`fping: ${output}`);
  }
}

function ours(reason: string, message: string): Failure {
  return { status: 'unknown', reason, message };
}
