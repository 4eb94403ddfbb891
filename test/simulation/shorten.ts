import type { Plan, TimedFault } from './plan.ts';

/**
 * The shortest list of a plan's faults, as far as leaving some out finds it, with which it still fails (delta debugging). `fails`
 * plays a plan.
 */
export async function shorten(plan: Plan, fails: (shorter: Plan) => Promise<boolean>): Promise<Plan> {
  let faults = plan.faults;
  for (let parts = 2; faults.length > 1 && parts <= 2 * faults.length; ) {
    const size = Math.ceil(faults.length / parts);
    const shorter = await firstThatFails(plan, faults, size, fails);
    if (shorter === null) {
      if (size === 1) break;
      parts = Math.min(2 * parts, faults.length);
    } else {
      faults = shorter;
      parts = Math.max(2, parts - 1);
    }
  }
  return { ...plan, faults };
}

/** Leaves out `size` neighbours after the other. */
async function firstThatFails(
  plan: Plan,
  faults: TimedFault[],
  size: number,
  fails: (shorter: Plan) => Promise<boolean>,
): Promise<TimedFault[] | null> {
  for (let from = 0; from < faults.length; from += size) {
    const left = [...faults.slice(0, from), ...faults.slice(from + size)];
    if (await fails({ ...plan, faults: left })) return left;
  }
  return null;
}
