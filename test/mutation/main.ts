import { parseArgs } from 'node:util';
import { isListed, rowOf } from './listed.ts';
import type { Result } from './result.ts';
import { mutate } from './stryker.ts';
import { mutateWorkflows } from './workflows.ts';

const USAGE = `npm run mutate -- [domain] [heal] [workflows] [options]
  Changes the sources on purpose and says which changes no test notices; without a part: all three.
  --seed N      which changes of workflows/ (a new one each time)
  --changes N   how many of them (100)
`;

interface Part {
  /** At least so many changes are to be noticed, %. */
  goal: number;
  run(): Promise<Result[]>;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seed: { type: 'string' }, changes: { type: 'string', default: '100' } },
});
const seed = Number(values.seed ?? Date.now() % 1_000_000);

const PARTS: Record<string, Part> = {
  domain: {
    goal: 95,
    run: () => mutate('domain', 'domain/**/*.ts', 'test/mutation/vitest.domain.config.ts'),
  },
  heal: {
    goal: 85,
    run: () => mutate('heal', 'activities/heal/*.ts', 'test/mutation/vitest.heal.config.ts'),
  },
  workflows: { goal: 85, run: () => mutateWorkflows(seed, Number(values.changes), (line) => console.log(line)) },
};

const wanted = positionals.length > 0 ? positionals : Object.keys(PARTS);
if (!(seed >= 0 && Number(values.changes) > 0) || wanted.some((name) => !(name in PARTS))) {
  console.error(USAGE);
  process.exit(2);
}
const summaries: string[] = [];
for (const name of wanted) {
  const part = PARTS[name]!;
  const beganAtMs = performance.now();
  const results = await part.run();
  const noticed = results.filter((result) => result.noticed).length;
  const percent = (100 * noticed) / results.length;
  const minutes = ((performance.now() - beganAtMs) / 60_000).toFixed(1);
  tellUnlisted(results);
  summaries.push(
    `${name}: ${noticed} of ${results.length} changes noticed, ${percent.toFixed(1)} % (goal ${part.goal} %), in ${minutes} min`,
  );
  if (percent < part.goal) process.exitCode = 1;
}
console.log(summaries.join('\n'));

/** Rows for docs/testing.md: what is not noticed needs a test, or a reason there. */
function tellUnlisted(results: readonly Result[]): void {
  const unlisted = results.filter(({ noticed, change }) => !noticed && !isListed(change));
  if (unlisted.length === 0) return;
  console.log(`\nNot noticed, and not listed in docs/testing.md (${unlisted.length}):`);
  for (const { change } of unlisted) console.log(`${change.file}:${change.line}\n${rowOf(change)}`);
}
