import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { environment } from '../../local/environment.mjs';
import { ROOT } from '../support/program.ts';
import type { CampaignOptions } from '../support/provided.ts';

/** Ends the processes of campaigns with this one. */
const ended = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    ended.abort();
    process.exitCode = 1;
  });
}

/** Plays a campaign in a process of its own, with the sources of that folder, and answers its exit code. */
export function runCampaignProcess(
  campaign: CampaignOptions,
  folder: string,
  stdio: 'inherit' | 'ignore',
): Promise<number> {
  const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
  const args = ['run', '--config', 'test/simulation/vitest.config.ts', '--reporter', 'dot'];
  const env = { ...environment, DEFIB_SIMULATE: JSON.stringify(campaign) };
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [vitest, ...args], { cwd: folder, env, stdio, signal: ended.signal });
    // also when it is aborted
    child.once('error', () => resolve(1));
    child.once('exit', (code) => resolve(code ?? 1));
  });
}
