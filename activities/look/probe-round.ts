import type { CheckResult } from '../../domain/probe-result.ts';

/** A running probe. */
export interface RunningProbe {
  checkId: string;
  /** The tick that it is for, epoch ms. */
  dueAtMs: number;
  /** Never rejects. */
  result: Promise<CheckResult>;
  /** The look that stores the result: the one that started it, or a later one that waits for it as well. */
  keeper: symbol;
}

/** What came of waiting for probes. */
export interface Round {
  /** Of the probes that ended before another check's turn came. */
  results: CheckResult[];
  /** The probes that were too slow to wait for; they go on. */
  late: RunningProbe[];
}

/** How long a failure waits for probes that are still running. */
const FAILURE_WAITS_MS = 1_000;

/**
 * Waits for probes that run side by side. A slow one delays neither the next tick of another check nor, by more than a second,
 * the failure of another: the round ends when a check that isn't being probed is due. `msToNextTick` says when that is, given
 * the checks still being probed; infinity = there is no other check to wait for.
 */
export function waitForRound(
  probes: readonly RunningProbe[],
  msToNextTick: (probing: ReadonlySet<string>) => number,
): Promise<Round> {
  return new Promise((resolve) => {
    const pending = new Map(probes.map((probe) => [probe.checkId, probe]));
    const results: CheckResult[] = [];
    let timer: NodeJS.Timeout | undefined;
    let failureWaits: NodeJS.Timeout | undefined;
    let over = false;

    function end(): void {
      over = true;
      clearTimeout(timer);
      clearTimeout(failureWaits);
      resolve({ results, late: [...pending.values()] });
    }

    function waitOn(): void {
      clearTimeout(timer);
      if (pending.size === 0) return end();
      const waitMs = msToNextTick(new Set(pending.keys()));
      if (Number.isFinite(waitMs)) timer = setTimeout(end, waitMs);
    }

    for (const probe of probes) {
      void probe.result.then((result) => {
        if (over) return;
        results.push(result);
        pending.delete(probe.checkId);
        if (result.status === 'unhealthy') failureWaits ??= setTimeout(end, FAILURE_WAITS_MS);
        waitOn();
      });
    }
    waitOn();
  });
}
