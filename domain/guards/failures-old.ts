import { conclusionHoldsMs } from '../conclusive.ts';
import { evidenceIn, restsOnChecks } from '../evidence.ts';
import type { CheckFact } from '../facts.ts';
import { lookedSince } from '../recovery.ts';
import type { Guard } from './guard.ts';

/** Its failing checks have no recent conclusive result: their failures stay counted, but say nothing about the VM now. */
export const failuresOld: Guard = {
  reason: 'failures-old',
  objectionTo({ facts, policy, remedy }, nowMs) {
    if (!restsOnChecks(remedy)) return null;
    const failing = evidenceIn(facts, policy).filter((check) => !check.needsCorroboration);
    const doneAtMs = facts.lastRemedyDoneAtMs;
    const recent = failing.filter((check) => doneAtMs === null || lookedSince(check, doneAtMs));
    // without any such check, the guard `silence-alone` decides
    if (failing.length === 0 || recent.some((check) => isFresh(check, nowMs))) return null;
    return {
      reason: 'failures-old',
      sentence:
        recent.length === 0
          ? 'no look since the last remedy was conclusive'
          : 'its failing checks have not been conclusive for three intervals',
      wouldChange: 'a conclusive look: the results of its checks say why the last ones were not',
      lookAgainInMs: 15_000,
    };
  },
};

function isFresh(check: CheckFact, nowMs: number): boolean {
  return nowMs - (check.lastCheckAtMs ?? 0) <= conclusionHoldsMs(check);
}
