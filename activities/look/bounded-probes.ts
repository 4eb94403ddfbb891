import type { ProbeResult } from '../../domain/probe-result.ts';

/** A probe is given up this long after its timeout. A busy worker delays probes that end by themselves by less. */
const OVERTIME_MS = 5_000;

/** Runs a probe of a check. @throws (rejects) when it does not end in time, and while an earlier one has still not ended */
export type BoundedProbe = (
  check: { checkId: string; timeoutMs: number },
  probe: () => Promise<ProbeResult>,
) => Promise<ProbeResult>;

/**
 * Limits how long a probe may take. Probes end by themselves within about their timeout; one that does not would keep its VM's
 * look from ever ending. It is given up, and its check is not probed again until it ends. Create once per process.
 */
export function createBoundedProbes(): BoundedProbe {
  /** Checks whose probe was given up and has not ended since. */
  const hanging = new Set<string>();

  return async ({ checkId, timeoutMs }, probe) => {
    if (hanging.has(checkId)) throw new Error('its last probe has still not ended');
    const limitMs = timeoutMs + OVERTIME_MS;
    let limit: NodeJS.Timeout | undefined;
    const tooLong = new Promise<never>((_resolve, reject) => {
      limit = setTimeout(() => {
        hanging.add(checkId);
        reject(new Error(`its probe did not end within ${limitMs / 1000} s`));
      }, limitMs);
    });
    const ended = probe().finally(() => {
      clearTimeout(limit);
      hanging.delete(checkId);
    });
    return Promise.race([ended, tooLong]);
  };
}
