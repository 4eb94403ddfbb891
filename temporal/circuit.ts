import { type Client, isGrpcServiceError, ServiceError } from '@temporalio/client';

/** A call was not made, because Temporal did not answer the last one. */
export class TemporalAway extends Error {
  override readonly name = 'TemporalAway';
}

/**
 * The circuit breaker of a process's calls to Temporal: after one that Temporal did not answer, further ones fail at once. Temporal
 * is then asked by a probe of its own, at once and every second, so that no caller has to wait in order to find out that it is back.
 */
export interface Circuit {
  /** Whether calls fail at once now. */
  readonly isAway: boolean;
  /** Makes the call. @throws what it throws; TemporalAway, without making it, while Temporal does not answer. */
  attempt<T>(call: () => Promise<T>): Promise<T>;
  /** Ends its probes. To be awaited before the connection is closed: the SDK would retry on it, outside of any call. */
  close(): Promise<void>;
}

/** Receives the beginning and the end of each time without an answer. */
export interface AwayReport {
  began(error: unknown): void;
  over(): void;
}

const NOBODY: AwayReport = { began: () => undefined, over: () => undefined };
const PROBE_EVERY_MS = 1_000;
const PROBE_LIMIT_MS = 1_000;

/** gRPC statuses that no server gave: https://grpc.github.io/grpc/core/md_doc_statuscodes.html */
const DEADLINE_EXCEEDED = 4;
const UNAVAILABLE = 14;

/** The circuit of the calls of one client, which all that calls through it share. */
export function createCircuit(client: Client, report?: AwayReport): Circuit {
  const ask = () => client.workflowService.describeNamespace({ namespace: client.options.namespace });
  return createCircuitOn(() => client.withDeadline(Date.now() + PROBE_LIMIT_MS, ask), report);
}

/** The circuit with another probe and pace; for tests. */
export function createCircuitOn(
  probe: () => Promise<unknown>,
  report = NOBODY,
  probeEveryMs = PROBE_EVERY_MS,
): Circuit {
  let away: TemporalAway | null = null;
  /** How often it came back. */
  let returns = 0;
  let probing: Promise<boolean> | null = null;
  let closed = false;

  async function probeUntilAnswered(): Promise<void> {
    while (!closed) {
      probing = probe().then(() => true, answered);
      if (await probing) break;
      await pause(probeEveryMs);
    }
    if (closed) return;
    away = null;
    returns++;
    report.over();
  }

  return {
    get isAway() {
      return away !== null;
    },
    async attempt(call) {
      if (away !== null) throw away;
      const madeAfter = returns;
      try {
        return await call();
      } catch (error) {
        // one that was made before it came back tells nothing new
        if (away === null && madeAfter === returns && !answered(error)) {
          away = new TemporalAway('Temporal does not answer', { cause: error });
          report.began(error);
          void probeUntilAnswered();
        }
        throw error;
      }
    },
    async close() {
      closed = true;
      await probing;
    },
  };
}

/** Whether this error is an answer of Temporal's, or no concern of it at all. */
function answered(error: unknown): boolean {
  const cause = error instanceof ServiceError ? error.cause : error;
  return !isGrpcServiceError(cause) || (cause.code !== UNAVAILABLE && cause.code !== DEADLINE_EXCEEDED);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
