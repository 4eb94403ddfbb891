import { spawn } from 'node:child_process';
import { parseArgs } from 'node:util';
import { environment } from '../../local/environment.mjs';

/** `npm run simulate -- --seed N --count K --hours H --vms V`: plays K seeds from N on; a new one each time without --seed. */
const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
    count: { type: 'string', default: '20' },
    hours: { type: 'string', default: '1' },
    vms: { type: 'string', default: '3' },
  },
});
const campaign = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, Number(value)]));
const problems = Object.entries(campaign)
  .filter(([, value]) => !(value > 0))
  .map(([name]) => `--${name} must be a number above 0`);
if (problems.length > 0) {
  console.error(problems.join('\n'));
  process.exitCode = 2;
} else {
  const vitest = ['vitest', 'run', '--config', 'test/simulation/vitest.config.ts'];
  const env = { ...environment, DEFIB_SIMULATE: JSON.stringify(campaign) };
  spawn('npx', vitest, { stdio: 'inherit', env }).once('exit', (code) => {
    process.exitCode = code ?? 1;
  });
}
