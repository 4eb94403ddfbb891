import type { ProbeResult } from '../domain/probe-result.ts';
import type { Check, ProbeInput } from './check.ts';
import { rulesOf } from './configuration.ts';
import { DeadlinePassed, inSeconds, startDeadline } from './deadline.ts';
import type { Egress } from './egress.ts';
import { openSocket } from './open-socket.ts';
import { type Failure, failedResult, healthyResult, noAddressResult } from './probe-result.ts';
import { explainSystemError, lookFailed } from './system-errors.ts';
import { readPort } from './target.ts';

/** Does a port at the VM's own address take a connection? Nothing is sent. */
export function createTcpCheck(guard: Egress): Check {
  return { type: 'tcp', validate: rulesOf('tcp'), probe: (input) => probe(guard, input) };
}

async function probe(guard: Egress, { address, target, timeoutMs }: ProbeInput): Promise<ProbeResult> {
  const read = readPort(target);
  if (!read.ok) return failed('tcp', null, lookFailed(read.problems.join(' ')));
  const port = read.value;
  const label = `tcp:${port}`;
  if (address === null) return noAddressResult(label, { port, error: 'no address' });
  const deadline = startDeadline(timeoutMs);
  try {
    const clearance = await guard.clear(address, port, address, deadline);
    if (!clearance.ok) return failed(label, port, clearance.failure);
    const socket = await openSocket(clearance.address, port, deadline);
    const elapsedMs = deadline.elapsedMs();
    socket.destroy();
    return healthyResult(label, elapsedMs, { port, connected: true });
  } catch (error) {
    if (error instanceof DeadlinePassed) return timedOut(label, port, timeoutMs);
    return failed(label, port, explainSystemError(error) ?? lookFailed(error));
  } finally {
    deadline.end();
  }
}

function timedOut(label: string, port: number, timeoutMs: number): ProbeResult {
  const message = `TCP connection timeout (${inSeconds(timeoutMs)})`;
  return failedResult(label, { status: 'unhealthy', reason: 'timeout', message }, { port, timeout: true });
}

function failed(label: string, port: number | null, failure: Failure): ProbeResult {
  return failedResult(label, failure, { port, error: failure.message });
}
