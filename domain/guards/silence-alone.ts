import { evidenceIn, restsOnChecks } from '../evidence.ts';
import type { Guard } from './guard.ts';

/** A silent agent may be a crashed agent: such a check on its own never starts a power action. */
export const silenceAlone: Guard = {
  reason: 'silence-alone',
  objectionTo({ facts, policy, remedy }) {
    if (!restsOnChecks(remedy)) return null;
    if (evidenceIn(facts, policy).some((check) => !check.needsCorroboration)) return null;
    return {
      reason: 'silence-alone',
      sentence: 'only its agent is silent; nothing else says that the VM is down',
      wouldChange: 'another check (ping, tcp, http) failing too, or the agent reporting again',
      lookAgainInMs: 15_000,
    };
  },
};
