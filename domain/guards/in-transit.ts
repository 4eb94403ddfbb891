import type { Facts } from '../facts.ts';
import type { PowerState } from '../power.ts';
import type { Guard } from './guard.ts';

const STATES: Partial<Record<PowerState, string>> = {
  suspended: 'it sleeps (suspended by its guest)',
  saving: 'its state is being saved',
  restoring: 'its state is being restored',
  migrating: 'it is being migrated',
  debugging: 'a debugger has stopped it',
  starting: 'it was prepared by its hypervisor and not started yet',
  unknown: 'its hypervisor names a state that Defib does not know',
};

/** It is in a state that passes by itself, or that a person caused. */
export const inTransit: Guard = {
  reason: 'in-transit',
  objectionTo({ facts, remedy }) {
    const { provider } = facts;
    if (remedy.kind !== 'power' || !provider.answered) return null;
    const state = STATES[provider.power];
    if (state === undefined || (provider.power === 'starting' && isLeftByRemedy(facts))) return null;
    return {
      reason: 'in-transit',
      sentence: `${state}: ${provider.detail}`,
      wouldChange: 'its hypervisor naming another state',
      lookAgainInMs: 15_000,
    };
  },
};

/** A reset of ours that ended half-way, its CPUs not told to run, leaves it so: nobody else will start it. */
function isLeftByRemedy({ powerReading, lastRemedyDoneAtMs }: Facts): boolean {
  return powerReading?.state === 'starting' && powerReading.sinceMs <= (lastRemedyDoneAtMs ?? 0);
}
