import type { Activities } from '../../activities/contract.ts';
import { NOT_ASKED } from '../support/scripted-activities.ts';
import { startVirtualWorld } from '../support/virtual-world.ts';
import type { Verdict } from './judge.ts';
import type { Plan } from './plan.ts';
import { play } from './play.ts';
import type { SimulatedWorld } from './simulated-world.ts';

/** Plays a plan on a server of its own. */
export async function simulate(plan: Plan): Promise<Verdict> {
  let world: SimulatedWorld | null = null;
  const names = Object.keys(NOT_ASKED) as (keyof Activities)[];
  const virtual = await startVirtualWorld(() => {
    const forwarded = names.map((name) => [
      name,
      async (input: never) => {
        if (world === null) throw new Error('the world is not there yet');
        return (world.calls.activities[name] as (input: never) => Promise<unknown>)(input);
      },
    ]);
    return Object.fromEntries(forwarded) as Activities;
  });
  try {
    return await play(virtual.env, plan, (made) => {
      world = made;
    });
  } finally {
    await virtual.stop();
  }
}
