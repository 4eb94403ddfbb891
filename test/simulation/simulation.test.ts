import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { describeNeeding } from '../support/requirements.ts';
import { runCampaign } from './campaign.ts';
import type { Plan } from './plan.ts';
import { simulate } from './simulate.ts';

const FOUND = join(import.meta.dirname, 'found');
/** Always the same: new ones are for `npm run simulate`, which has the time to find out what a failure is about. */
const CAMPAIGN = { seed: 500, count: 10, hours: 0.25, vms: 2 };
const PATIENCE = { timeout: 1_200_000, retry: 0 };

describeNeeding(['virtual-time'], 'a simulation', () => {
  it(`of ${CAMPAIGN.count} seeds comes to nothing that must never be, or not again`, PATIENCE, async () => {
    const lines: string[] = [];
    const { failures } = await runCampaign(CAMPAIGN, (line) => void lines.push(line), { shortest: false });
    expect(
      failures.filter(({ recurs }) => recurs),
      lines.join('\n'),
    ).toEqual([]);
  });

  const found = readdirSync(FOUND).filter((name) => name.endsWith('.json'));
  it.each(found)('of what once failed comes to nothing that must never be: %s', PATIENCE, async (name) => {
    const plan = JSON.parse(readFileSync(join(FOUND, name), 'utf8')) as Plan;
    expect((await simulate(plan)).violations).toEqual([]);
  });
});
