import { triggers } from '../policy.ts';
import type { Guard } from './guard.ts';

/** A silent agent may be a crashed agent: on its own it never starts a power action. */
export const silenceAlone: Guard = {
  reason: 'silence-alone',
  objectionTo({ facts, policy, remedy }) {
    // what the hypervisor says itself needs no other evidence
    if (remedy.kind !== 'power' || remedy.cause !== 'unresponsive') return null;
    const failing = facts.checks.filter((check) => triggers(policy, check.consecutiveFailures));
    if (failing.some((check) => check.checkType !== 'agent')) return null;
    return {
      reason: 'silence-alone',
      sentence: 'only its agent is silent; nothing else says that the VM is down',
      wouldChange: 'another check (ping, tcp, http) failing too, or the agent reporting again',
      lookAgainInMs: 15_000,
    };
  },
};
