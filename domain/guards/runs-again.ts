import { evidenceIn, restsOnChecks } from '../evidence.ts';
import type { CheckFact } from '../facts.ts';
import type { Guard } from './guard.ts';

/** It runs again at its hypervisor: failures from before say nothing about it now. */
export const runsAgain: Guard = {
  reason: 'runs-again',
  objectionTo({ facts, policy, remedy }, nowMs) {
    if (!restsOnChecks(remedy)) return null;
    const { powerReading } = facts;
    if (powerReading?.state !== 'running' || powerReading.before === null) return null;
    const { sinceMs } = powerReading;
    const hasFailedSince = (check: CheckFact) =>
      (check.lastCheckAtMs ?? 0) >= sinceMs + policy.triggerAfterFailures * check.intervalMs;
    const evidence = evidenceIn(facts, policy);
    // a silent agent may have crashed long ago: it must not vouch for failures from while the VM could not answer
    const failing = evidence.filter((check) => !check.needsCorroboration);
    // silence alone has its own guard
    const isSilenceAlone = evidence.length > 0 && failing.length === 0;
    if (isSilenceAlone || failing.some(hasFailedSince)) return null;
    return {
      reason: 'runs-again',
      sentence: `it has been running again for ${Math.round((nowMs - sinceMs) / 1000)} s, and has not failed often enough since`,
      wouldChange: `${policy.triggerAfterFailures} failures in a row since then, or recovery`,
      lookAgainInMs: 15_000,
    };
  },
};
