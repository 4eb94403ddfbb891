import type { Guard } from './guard.ts';

/** Tries in a row; they take about half an hour. */
const MAX_TRIES = 12;

/** The hypervisor answers, but takes no action; a person is needed. */
export const notSendable: Guard = {
  reason: 'not-sendable',
  objectionTo({ facts, remedy }) {
    const { notSent } = facts;
    if (remedy.kind !== 'power' || notSent === null || notSent.count < MAX_TRIES) return null;
    return {
      reason: 'not-sendable',
      sentence: `${notSent.count} tries could not be sent; manual intervention needed. The last one: ${notSent.lastDetail}`,
      wouldChange: `recovery, or POST /api/vms/${facts.vmId}/auto-heal/reset once nothing keeps it from being sent`,
      lookAgainInMs: 60 * 60_000,
    };
  },
};
