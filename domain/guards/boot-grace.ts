import { failingIn } from '../evidence.ts';
import { plausibleTime } from '../grid.ts';
import type { Guard } from './guard.ts';

/** It was started on purpose a moment ago: what does not answer yet may still be booting. */
export const bootGrace: Guard = {
  reason: 'boot-grace',
  objectionTo({ facts, policy, remedy }, nowMs) {
    const startedAtMs = plausibleTime(facts.startedAtMs, nowMs);
    if (startedAtMs === null || remedy.cause !== 'unresponsive') return null;
    const leftMs = startedAtMs + facts.bootGraceMs - nowMs;
    // a check that was healthy since the start and fails again shows that the VM has booted
    const hasBooted = failingIn(facts, policy).some((check) => check.lastHealthyAtMs !== null);
    if (leftMs <= 0 || hasBooted) return null;
    return {
      reason: 'boot-grace',
      sentence: `it was started ${seconds(nowMs - startedAtMs)} s ago and has ${seconds(facts.bootGraceMs)} s to boot`,
      wouldChange: `a healthy look and failures after it, or the end of that time at ${new Date(nowMs + leftMs).toISOString()}`,
      lookAgainInMs: leftMs,
    };
  },
};

function seconds(ms: number): number {
  return Math.max(0, Math.floor(ms / 1000));
}
