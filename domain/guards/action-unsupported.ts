import type { Guard } from './guard.ts';

/** The policy wants an action that this VM's provider does not offer. */
export const actionUnsupported: Guard = {
  reason: 'action-unsupported',
  objectionTo({ facts, remedy }) {
    if (remedy.kind === 'notify') return null;
    if (remedy.kind === 'power' && facts.providerSupports.includes(remedy.power)) return null;
    return {
      reason: 'action-unsupported',
      sentence: `its provider can't do "${remedy.action}"`,
      wouldChange: 'a policy with another action, or another provider for the VM',
      lookAgainInMs: 60_000,
    };
  },
};
