import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { sourceOf } from '../../mutation/change.ts';
import { ChangedCopy } from '../../mutation/changed-copy.ts';
import type { CampaignOptions } from '../../support/provided.ts';
import type { Failure } from '../campaign.ts';
import { runCampaignProcess } from '../campaign-process.ts';
import { type Edit, PLANTED, type PlantedBug } from './bugs.ts';

/**
 * `npm run simulate:planted -- [--seeds 200] [--jobs 2] [words of a name]`: plants one bug after the other in a copy, and says
 * after how many seeds the simulator finds it.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seeds: { type: 'string', default: '200' }, jobs: { type: 'string', default: '2' } },
});
interface Result {
  plays: number;
  failures: Failure[];
}

const bugs = PLANTED.filter(({ name }) => name.includes(positionals.join(' ')));
const waiting = [...bugs];
let notFound = 0;

await Promise.all(Array.from({ length: Math.min(Number(values.jobs), bugs.length) }, () => work()));
console.log(`${bugs.length - notFound} of ${bugs.length} planted bugs found within ${values.seeds} seeds`);
process.exitCode = notFound > 0 ? 1 : 0;

async function work(): Promise<void> {
  const copy = new ChangedCopy();
  try {
    for (let bug = waiting.shift(); bug !== undefined; bug = waiting.shift()) {
      const result = await copy.with(changedBy(bug.edits), simulate);
      const failure = result?.failures[0];
      if (failure === undefined) notFound++;
      console.log(whatCameOf(bug, result));
    }
  } finally {
    copy.remove();
  }
}

function whatCameOf({ name }: PlantedBug, result: Result | null): string {
  if (result === null) return `NOT PLAYED, its process broke off: ${name}`;
  const [failure] = result.failures;
  if (failure === undefined) return `NOT FOUND in ${result.plays} seeds: ${name}`;
  return `found by seed ${result.plays}: ${name} (${failure.violations[0]})`;
}

function changedBy(edits: PlantedBug['edits']): Map<string, string> {
  const contents = new Map<string, string>();
  const change = ({ file, find, replace }: Edit) =>
    contents.set(
      file,
      (contents.get(file) ?? sourceOf(file)).replace(find, () => replace),
    );
  for (const edit of edits) change(edit);
  return contents;
}

/** Plays seeds from 1 on in that folder, until the first that fails; null when its process broke off. */
async function simulate(folder: string): Promise<Result | null> {
  const output = join(folder, 'result.json');
  rmSync(output, { force: true });
  const campaign: CampaignOptions = {
    seed: 1,
    count: Number(values.seeds),
    hours: 1,
    vms: 3,
    untilFirst: true,
    output,
  };
  await runCampaignProcess(campaign, folder, 'ignore');
  return existsSync(output) ? (JSON.parse(readFileSync(output, 'utf8')) as Result) : null;
}
