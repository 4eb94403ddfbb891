import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT } from '../support/program.ts';
import type { CampaignOptions } from '../support/provided.ts';
import { runCampaignProcess } from './campaign-process.ts';
import { playLives } from './pure/play-lives.ts';
import { summary, wholeOf } from './whole.ts';

const USAGE = `npm run simulate -- [options]
  --seed N     the first seed; a new one each time without it
  --count K    how many seeds (20)
  --hours H    how long things go wrong in each play (1)
  --vms V      how many VMs each play has (3)
  --jobs J     how many plays run at a time (2 for each core)
  --pure H     plays lives of H VM-hours together instead, of the pure part alone
  --plan FILE  plays one plan instead: one that was printed, or of test/simulation/found/
`;

/** Plays mostly wait for Postgres. */
const JOBS_OF_A_CORE = 2;
const PURE_AT_A_TIME = 12_000;

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
    count: { type: 'string', default: '20' },
    hours: { type: 'string', default: '1' },
    vms: { type: 'string', default: '3' },
    jobs: { type: 'string', default: String(JOBS_OF_A_CORE * availableParallelism()) },
    plan: { type: 'string' },
    pure: { type: 'string' },
  },
});
const { plan, pure, ...given } = values;
const numbers = Object.entries(pure === undefined ? given : { ...given, pure }).map(
  ([name, value]) => [name, Number(value)] as const,
);
const wrong = numbers.filter(([, value]) => !(value > 0)).map(([name]) => `--${name} must be a number above 0`);
if (wrong.length > 0) {
  console.error(`${wrong.join('\n')}\n${USAGE}`);
  process.exitCode = 2;
} else if (pure !== undefined) {
  process.exitCode = playPure(Number(values.seed), Number(pure));
} else {
  const { seed, count, jobs, ...size } = Object.fromEntries(numbers) as Record<keyof typeof given, number>;
  process.exitCode = await (plan === undefined
    ? playAll({ seed, count, ...size }, Math.min(jobs, count))
    : runCampaignProcess({ seed, count: 1, ...size, plan }, ROOT, 'inherit'));
}

/** Prints what it has come to now and then, and answers the exit code. */
function playPure(seed: number, vmHours: number): number {
  const whole = { lives: 0, vmHours: 0, looks: 0, commands: 0, failures: 0 };
  while (whole.vmHours < vmHours) {
    const wanted = Math.min(PURE_AT_A_TIME, vmHours - whole.vmHours);
    const played = playLives({ seed: seed + whole.lives, vmHours: wanted });
    for (const { seed: failed, message } of played.failures) console.log(`seed ${failed}: ${message}`);
    for (const what of ['lives', 'vmHours', 'looks', 'commands'] as const) whole[what] += played[what];
    whole.failures += played.failures.length;
    console.log(
      `${whole.vmHours} VM-hours from seed ${seed} on, ${whole.looks} looks, ${whole.commands} power commands, ${whole.failures} failures`,
    );
  }
  return whole.failures > 0 ? 1 : 0;
}

/** Plays a campaign in so many processes, and answers the exit code. */
async function playAll(campaign: CampaignOptions, jobs: number): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'defib-simulate-'));
  const each = Math.ceil(campaign.count / jobs);
  const parts = Array.from({ length: Math.ceil(campaign.count / each) }, (_, part) => ({
    ...campaign,
    seed: campaign.seed + part * each,
    count: Math.min(each, campaign.count - part * each),
    output: join(folder, `${part}.json`),
  }));
  try {
    await Promise.all(parts.map((part) => runCampaignProcess(part, ROOT, 'inherit')));
    const files = parts.map(({ output }) => output).filter((file) => existsSync(file));
    const { lines, passed } = summary(wholeOf(files));
    console.log(lines.join('\n'));
    return passed && files.length === parts.length ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
