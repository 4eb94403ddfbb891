import { z } from 'zod';
import type { ProbeResult } from '../domain/probe-result.ts';
import { defineCheck, type ProbeInput } from './check.ts';
import { startDeadline } from './deadline.ts';
import type { Egress } from './egress.ts';
import { createFping, type Ping, type PingAnswer } from './fping.ts';
import { excerpt, type Failure, failedResult, healthyResult, noAddressResult } from './probe-result.ts';
import { lookFailed } from './system-errors.ts';
import { addressProblems, noTarget } from './target.ts';

/** Does the VM answer an ICMP echo? */
export const ping = defineCheck({
  type: 'ping',
  about: 'alive',
  needsCorroboration: false,
  targetIs: null,
  options: z.strictObject({}),
  needs: [],
  readTarget: noTarget('ping'),
  problems: (address) => addressProblems('ping', address),
  endpoint: (_, address) => (address === null ? null : { host: address, port: null }),
  createProbe: ({ egress, fping }) => {
    const send = createFping(fping);
    return (input) => probe(egress, send, input);
  },
});

/** The name is resolved here: only an IP literal that the egress rules permit reaches `send`. */
async function probe(egress: Egress, send: Ping, { address, timeoutMs, reach }: ProbeInput): Promise<ProbeResult> {
  if (address === null) return noAddressResult('ping', { output: '' });
  const deadline = startDeadline(timeoutMs);
  try {
    const clearance = await egress.clear(address, null, { ...reach, vmAddress: address }, deadline);
    if (!clearance.ok) return failedResult('ping', clearance.failure, { output: excerpt(clearance.failure.message) });
    const answer = await send(clearance.address, timeoutMs);
    if (answer.kind === 'alive') return healthyResult('ping', answer.latencyMs, { output: answer.output });
    const summary = answer.kind === 'silent' ? 'ping failed' : undefined;
    return failedResult('ping', failureOf(answer), { output: answer.output }, summary);
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
