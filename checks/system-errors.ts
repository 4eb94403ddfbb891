import type { Failure } from './probe-result.ts';

interface Explanation {
  status: Failure['status'];
  reason: string;
  advice: string;
}

const theirs = (reason: string, advice: string): Explanation => ({ status: 'unhealthy', reason, advice });
/** Faults of the worker's own machine: the target was never asked. */
const ours = (reason: string, advice: string): Explanation => ({ status: 'unknown', reason, advice });

const LIMIT = 'This worker is out of sockets or memory: raise its limits (ulimit -n), or run more workers.';
const ROUTE = 'This worker has no route to it: look at its network, or run a worker inside that network.';
const FORBIDDEN = "This worker's firewall or sandbox forbids the connection.";
const CLOSED = 'The service took the connection and dropped it: look at its log.';

const EXPLANATIONS: Record<string, Explanation> = {
  ECONNREFUSED: theirs('connection-refused', 'Nothing listens there: start the service, or correct the port.'),
  EHOSTUNREACH: theirs('host-unreachable', 'The VM or its network is down, or a firewall turns us away.'),
  EHOSTDOWN: theirs('host-unreachable', 'The VM or its network is down.'),
  ECONNRESET: theirs('connection-reset', CLOSED),
  EPIPE: theirs('connection-reset', CLOSED),
  ECONNABORTED: theirs('connection-reset', CLOSED),
  ETIMEDOUT: theirs('timeout', 'The VM or its network is down, or a firewall drops the packets.'),
  ENETUNREACH: ours('no-route', ROUTE),
  ENETDOWN: ours('no-route', ROUTE),
  EADDRNOTAVAIL: ours('no-route', ROUTE),
  EAFNOSUPPORT: ours('no-route', ROUTE),
  EINVAL: ours('no-route', ROUTE),
  EACCES: ours('not-permitted', FORBIDDEN),
  EPERM: ours('not-permitted', FORBIDDEN),
  EMFILE: ours('worker-limit', LIMIT),
  ENFILE: ours('worker-limit', LIMIT),
  ENOBUFS: ours('worker-limit', LIMIT),
  ENOMEM: ours('worker-limit', LIMIT),
  EAGAIN: ours('worker-limit', LIMIT),
};

/** Node's or undici's code of an error, or the empty string. */
export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** A socket's error as the system says it, with what to do; null when it is none that a network makes. */
export function explainSystemError(error: unknown): Failure | null {
  const known = EXPLANATIONS[errorCode(error)];
  if (known === undefined || !(error instanceof Error)) return null;
  const { status, reason, advice } = known;
  return { status, reason, message: `${error.message}. ${advice}` };
}

/** The result of an unexpected error, which says nothing about the VM. */
export function lookFailed(error: unknown): Failure {
  const said = error instanceof Error ? error.message : String(error);
  const message = `The look itself failed: ${said}. This is a fault of Defib or of this worker, not of the VM.`;
  return { status: 'unknown', reason: 'look-failed', message };
}
