import { readFileSync } from 'node:fs';
import { GUARDS } from '../../domain/remedy.ts';
import type { CampaignResult } from './campaign.ts';
import { FAULT_KINDS } from './draw-plan.ts';
import { ACTIVITIES } from './plan.ts';

/** From so many plays on a campaign has to have seen everything that it is about. */
const WHOLE = 200;

/** The ways in which operations end. */
const ENDS = [
  'operation sent done success',
  'operation sent done failed',
  'operation sent presumed done success',
  'operation sent presumed done failed',
  'operation sent abandoned failed',
  'operation unsent abandoned failed',
  'operation unsent abandoned skipped',
  'operation unsent done success',
];

/** Faults of calls are laid and may wait in vain: each kind has to have met a call, and each activity a fault. */
const MET = ['answer-lost', 'answer-late', 'never-begun', 'frozen', 'frozen-after-move', ...ACTIVITIES];

/** The parts of a campaign, from the files that they left, as one. */
export function wholeOf(files: readonly string[]): CampaignResult {
  const whole: CampaignResult = { plays: 0, vmHours: 0, commands: 0, seen: new Map(), failures: [] };
  for (const file of files) {
    const part = JSON.parse(readFileSync(file, 'utf8')) as Omit<CampaignResult, 'seen'> & { seen: [string, number][] };
    whole.plays += part.plays;
    whole.vmHours += part.vmHours;
    whole.commands += part.commands;
    whole.failures.push(...part.failures);
    for (const [what, count] of part.seen) whole.seen.set(what, (whole.seen.get(what) ?? 0) + count);
  }
  return whole;
}

/** What a campaign came to, in lines; `passed` is false when something failed, or never occurred in a whole one. */
export function summary({ plays, vmHours, commands, seen, failures }: CampaignResult): {
  lines: string[];
  passed: boolean;
} {
  const expected = [
    ...FAULT_KINDS.map((kind) => `fault ${kind}`),
    ...GUARDS.map(({ reason }) => `guard ${reason}`),
    ...MET.map((what) => `met ${what}`),
    ...ENDS,
  ];
  const unseen = expected.filter((what) => !seen.has(what));
  const lines = [
    ...[...seen].toSorted().map(([what, count]) => `  ${what}: ${count} plays`),
    ...unseen.map((what) => `  ${what}: never`),
    `${plays} plays, ${vmHours.toFixed(0)} VM-hours, ${commands} power commands, ${failures.length} failures`,
  ];
  return { lines, passed: failures.length === 0 && (plays < WHOLE || unseen.length === 0) };
}
