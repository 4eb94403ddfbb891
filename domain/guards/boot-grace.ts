import { failingIn } from '../evidence.ts';
import { believable } from '../grid.ts';
import type { Guard } from './guard.ts';

/** It was started by request a moment ago: what doesn't answer yet may still be booting. */
export const bootGrace: Guard = {
  reason: 'boot-grace',
  objectionTo({ facts, policy, remedy }, nowMs) {
    const startedAtMs = believable(facts.startedAtMs, nowMs);
    if (startedAtMs === null || remedy.cause !== 'unresponsive') return null;
    const leftMs = startedAtMs + facts.bootGraceMs - nowMs;
    // what has been healthy since the start, and fails again, has booted
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
