import { plausibleTime } from '../grid.ts';
import { watchLimitMs } from '../recovery.ts';
import type { Guard } from './guard.ts';

/** What we know is too old to act on: nobody has looked for three intervals and a timeout. */
export const notWatched: Guard = {
  reason: 'not-watched',
  objectionTo({ facts }, nowMs) {
    const lastLookAtMs = plausibleTime(facts.lastLookAtMs, nowMs);
    const ageMs = lastLookAtMs === null ? null : nowMs - lastLookAtMs;
    if (ageMs !== null && ageMs <= watchLimitMs(facts.checks)) return null;
    return {
      reason: 'not-watched',
      sentence:
        ageMs === null ? 'nobody has looked at it yet' : `nobody has looked at it for ${Math.floor(ageMs / 1000)} s`,
      wouldChange: 'a look at the VM: see that a worker for its site runs and that its look is not paused',
      lookAgainInMs: 15_000,
    };
  },
};
