import type { CheckResult } from '../../domain/probe-result.ts';

/** A probe on its way. */
export interface RunningProbe {
  checkId: string;
  /** Never rejects. */
  result: Promise<CheckResult>;
}

/** Probes that were waited for. */
export interface Round {
  /** Of the probes that ended before another check's turn came. */
  results: CheckResult[];
  /** The probes that were too slow to wait for; they go on. */
  late: RunningProbe[];
}

/**
 * Waits for probes that run side by side, but a slow one doesn't hold up the others' next ticks: when the turn of a check
 * that isn't being probed comes, the round is over. `msToNextTick` says when that is, given the checks still being probed;
 * infinity = there is no other check to wait for.
 */
export function waitForRound(
  probes: readonly RunningProbe[],
  msToNextTick: (probing: ReadonlySet<string>) => number,
): Promise<Round> {
  return new Promise((resolve) => {
    const pending = new Map(probes.map((probe) => [probe.checkId, probe]));
    const results: CheckResult[] = [];
    let timer: NodeJS.Timeout | undefined;
    let over = false;

    function end(): void {
      over = true;
      clearTimeout(timer);
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
        waitOn();
      });
    }
    waitOn();
  });
}
