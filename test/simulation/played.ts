import type { Ban, Start } from './people.ts';
import type { FaultKind, Plan } from './plan.ts';

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

/** What a fault leaves behind is over by then: clocks that were off, and results that could not be stored. */
const LEAVES_MS = 60_000;

/** Whether one of these faults was there between two moments of a play, or had just ended. */
export function suffered(
  { plan, beganAtMs }: Pick<Played, 'plan' | 'beganAtMs'>,
  kinds: readonly FaultKind[],
  fromMs: number,
  untilMs: number,
): boolean {
  return plan.faults.some((fault) => {
    const beginsMs = beganAtMs + fault.atMs;
    const endsMs = beginsMs + ('forMs' in fault ? fault.forMs : 0) + LEAVES_MS;
    return kinds.includes(fault.kind) && beginsMs <= untilMs && endsMs >= fromMs;
  });
}
