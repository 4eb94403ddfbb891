import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { describeNeeding } from '../support/requirements.ts';
import { runCampaign } from './campaign.ts';
import type { Plan } from './plan.ts';
import { simulate } from './simulate.ts';

const FOUND = join(import.meta.dirname, 'found');
/** New ones each time: what one run doesn't find, another may. */
const NEW_SEEDS = 20;
const PATIENCE = { timeout: 1_200_000, retry: 0 };

describeNeeding(['virtual-time'], 'a simulation', () => {
  it(`of ${NEW_SEEDS} new seeds comes to nothing that must never be`, PATIENCE, async () => {
    const seed = Date.now() % 1_000_000_000;
    const lines: string[] = [];
    const print = (line: string) => void lines.push(line);
    const { failures } = await runCampaign({ seed, count: NEW_SEEDS, hours: 0.5, vms: 2 }, print);
    console.log(lines.join('\n'));
    expect(failures).toEqual([]);
  });

  const found = readdirSync(FOUND).filter((name) => name.endsWith('.json'));
  it.each(found)('of what once failed comes to nothing that must never be: %s', PATIENCE, async (name) => {
    const plan = JSON.parse(readFileSync(join(FOUND, name), 'utf8')) as Plan;
    expect((await simulate(plan)).violations).toEqual([]);
  });
});
