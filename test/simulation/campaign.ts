import type { CampaignOptions } from '../support/provided.ts';
import { planOf } from './draw-plan.ts';
import type { Verdict } from './judge.ts';
import type { Plan } from './plan.ts';
import { play } from './play.ts';
import { shorten } from './shorten.ts';

/** A play that came to what must never be. */
export interface Failure {
  /** With the fewest faults with which it recurs; whole, where it did not recur. */
  plan: Plan;
  violations: string[];
  /** Not in five plays of the same plan: kept with its violations all the same. */
  recurs: boolean;
}

export interface CampaignResult {
  plays: number;
  vmHours: number;
  commands: number;
  /** How often each kind of fault was planned, each guard held, each way an operation ended. */
  seen: Map<string, number>;
  failures: Failure[];
}

const RECUR_TRIES = 5;

/** Plays seed after seed. `print` is told of each. Unless `shortest` is asked for, failures keep all their faults, which is quicker. */
export async function runCampaign(
  options: CampaignOptions,
  print: (line: string) => void,
  { shortest = true } = {},
): Promise<CampaignResult> {
  const result: CampaignResult = { plays: 0, vmHours: 0, commands: 0, seen: new Map(), failures: [] };
  const { seed: first, count, untilFirst = false, ...size } = options;
  for (let seed = first; seed < first + count; seed++) {
    const plan = planOf(seed, size);
    const beganAt = performance.now();
    const verdict = await play(plan);
    add(result, plan, verdict);
    const took = ((performance.now() - beganAt) / 1000).toFixed(1);
    print(
      `seed ${seed}: ${plan.faults.length} faults, ${verdict.vmHours.toFixed(1)} VM-hours, ${told(verdict)}, ${took} s`,
    );
    if (verdict.violations.length === 0) continue;
    print(`  weights ${JSON.stringify(plan.weights)}`);
    for (const violation of verdict.violations) print(`  ${violation}`);
    if (untilFirst) {
      result.failures.push({ plan, violations: verdict.violations, recurs: false });
      break;
    }
    const failure = await investigate(plan, verdict, shortest);
    result.failures.push(failure);
    print(`  ${failure.recurs ? 'recurs' : 'did not recur'} with ${JSON.stringify(failure.plan)}`);
  }
  return result;
}

function told({ commands, violations }: Verdict): string {
  return `${commands} power commands, ${violations.length === 0 ? 'no violation' : `${violations.length} VIOLATIONS`}`;
}

function add(result: CampaignResult, plan: Plan, { vmHours, commands, seen }: Verdict): void {
  result.plays++;
  result.vmHours += vmHours;
  result.commands += commands;
  const faults = [...new Set(plan.faults.map(({ kind }) => `fault ${kind}`))];
  for (const what of [...seen, ...faults]) result.seen.set(what, (result.seen.get(what) ?? 0) + 1);
}

/** Plays it again, to see whether it recurs, and with how few faults. */
async function investigate(plan: Plan, first: Verdict, shortest: boolean): Promise<Failure> {
  for (let tries = 0; tries < RECUR_TRIES; tries++) {
    const violations = await violationsOf(plan);
    if (violations.length === 0) continue;
    if (!shortest) return { plan, violations, recurs: true };
    const short = await shorten(plan, async (shorter) => (await violationsOf(shorter)).length > 0);
    return { plan: short, violations, recurs: true };
  }
  return { plan, violations: first.violations, recurs: false };
}

async function violationsOf(plan: Plan): Promise<string[]> {
  return (await play(plan)).violations;
}
