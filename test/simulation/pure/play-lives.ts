import { drawFrom } from '../../support/draw.ts';
import { Life } from './life.ts';

export interface LivesPlayed {
  lives: number;
  vmHours: number;
  looks: number;
  commands: number;
  guards: ReadonlySet<string>;
  failures: { seed: number; message: string }[];
}

const HOURS_EACH = 12;
const START_MS = Date.parse('2026-11-22T12:00:00Z');

/** Plays VMs' lives, a seed each from `seed` on, until they make so many hours together. */
export function playLives({ seed: first, vmHours }: { seed: number; vmHours: number }): LivesPlayed {
  const guards = new Set<string>();
  const failures: LivesPlayed['failures'] = [];
  let looks = 0;
  let commands = 0;
  const lives = Math.ceil(vmHours / HOURS_EACH);
  for (let seed = first; seed < first + lives; seed++) {
    const life = new Life(drawFrom(seed), START_MS);
    try {
      life.live(HOURS_EACH);
    } catch (error) {
      failures.push({ seed, message: error instanceof Error ? error.message : String(error) });
    }
    looks += life.looks;
    commands += life.commands;
    for (const guard of life.guards) guards.add(guard);
  }
  return { lives, vmHours: lives * HOURS_EACH, looks, commands, guards, failures };
}
