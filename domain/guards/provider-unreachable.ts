import type { Guard } from './guard.ts';

/** No action while the hypervisor does not answer. */
export const providerUnreachable: Guard = {
  reason: 'provider-unreachable',
  objectionTo({ facts, remedy }) {
    if (remedy.kind !== 'power' || facts.provider.answered) return null;
    return {
      reason: 'provider-unreachable',
      sentence: `its hypervisor gives no answer: ${facts.provider.message}`,
      wouldChange: 'the hypervisor answering again',
      lookAgainInMs: 15_000,
    };
  },
};
