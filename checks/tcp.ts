import { z } from 'zod';
import type { ProbeResult } from '../domain/probe-result.ts';
import { defineCheck, type ProbeInput } from './check.ts';
import { DeadlinePassed, inSeconds, STOOD_STILL, startDeadline } from './deadline.ts';
import type { Egress } from './egress.ts';
import { openSocket } from './open-socket.ts';
import { type Failure, failedResult, healthyResult, noAddressResult } from './probe-result.ts';
import { explainSystemError, lookFailed } from './system-errors.ts';
import { addressProblems, isPort, quoted, type Read, unreadable } from './target.ts';

/** Does a port at the VM's own address take a connection? Nothing is sent. */
export const tcp = defineCheck({
  type: 'tcp',
  about: 'alive',
  needsCorroboration: false,
  targetIs: 'the port',
  options: z.strictObject({}),
  needs: [],
  readTarget: readPort,
  problems: (address) => addressProblems('tcp', address),
  endpoint: (port, address) => (address === null ? null : { host: address, port }),
  createProbe:
    ({ egress }) =>
    (input) =>
      probe(egress, input),
});

/** Reads a tcp target: a port as a decimal number from 1 to 65535. */
function readPort(target: string | null): Read<number> {
  const text = target?.trim() ?? '';
  if (text === '') return unreadable('A tcp check needs a port as its target, for example "22".');
  if (!/^\d{1,5}$/.test(text) || !isPort(Number(text))) {
    return unreadable(`The target ${quoted(text)} is not a port: give a whole number from 1 to 65535.`);
  }
  return { ok: true, value: Number(text) };
}

async function probe(egress: Egress, { address, target, timeoutMs, reach }: ProbeInput): Promise<ProbeResult> {
  const read = readPort(target);
  if (!read.ok) return failed('tcp', null, lookFailed(read.problems.join(' ')));
  const port = read.value;
  const label = `tcp:${port}`;
  if (address === null) return noAddressResult(label, { port, error: 'no address' });
  const deadline = startDeadline(timeoutMs);
  try {
    const clearance = await egress.clear(address, port, { ...reach, vmAddress: address }, deadline);
    if (!clearance.ok) return failed(label, port, clearance.failure);
    const socket = await openSocket(clearance.address, port, deadline);
    const elapsedMs = deadline.elapsedMs();
    socket.destroy();
    return healthyResult(label, elapsedMs, { port, connected: true });
  } catch (error) {
    if (deadline.stoodStill()) return failed(label, port, lookFailed(STOOD_STILL));
    if (error instanceof DeadlinePassed) return timedOut(label, port, timeoutMs);
    return failed(label, port, explainSystemError(error) ?? lookFailed(error));
  } finally {
    deadline.end();
  }
}

function timedOut(label: string, port: number, timeoutMs: number): ProbeResult {
  const brief = `timeout (${inSeconds(timeoutMs)})`;
  const message = `TCP connection ${brief}`;
  return failedResult(label, { status: 'unhealthy', reason: 'timeout', message, brief }, { port, timeout: true });
}

function failed(label: string, port: number | null, failure: Failure): ProbeResult {
  return failedResult(label, failure, { port, error: failure.message });
}
