import type { Ban, Start } from './people.ts';
import type { Plan } from './plan.ts';

/** A play that is over: what was planned and what was done. VMs are named by their place in the plan. */
export interface Played {
  plan: Plan;
  vmIds: readonly string[];
  beganAtMs: number;
  bans: readonly Ban[];
  starts: readonly Start[];
  /** VMs whose pause lasted until nothing went wrong any more. */
  pausedUntilQuiet: readonly number[];
}
