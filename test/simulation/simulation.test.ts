import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { runCampaign } from './campaign.ts';
import type { Plan } from './plan.ts';
import { play } from './play.ts';

vi.mock('@temporalio/workflow', async (real) => ({
  ...(await real<object>()),
  ...(await import('./runtime/workflow-api.ts')),
}));

const FOUND = join(import.meta.dirname, 'found');
/** New ones each time. */
const CAMPAIGN = { seed: Date.now() % 1_000_000_000, count: 20, hours: 0.25, vms: 2 };
const PATIENCE = { timeout: 1_200_000, retry: 0 };

describe('a simulation', () => {
  it(`of ${CAMPAIGN.count} new seeds comes to nothing that must never be, or not again`, PATIENCE, async () => {
    const lines: string[] = [];
    const print = (line: string): void => void lines.push(line);
    const { failures } = await runCampaign(CAMPAIGN, print, { shortest: false });
    console.log(`simulated ${CAMPAIGN.count} seeds from ${CAMPAIGN.seed} on`);
    // what does not recur fails nothing, and must not be lost
    if (failures.some(({ recurs }) => !recurs)) console.log(lines.join('\n'));
    expect(
      failures.filter(({ recurs }) => recurs),
      lines.join('\n'),
    ).toEqual([]);
  });

  const found = readdirSync(FOUND).filter((name) => name.endsWith('.json'));
  it.each(found)('of what once failed comes to nothing that must never be: %s', PATIENCE, async (name) => {
    const plan = JSON.parse(readFileSync(join(FOUND, name), 'utf8')) as Plan;
    expect((await play(plan)).violations).toEqual([]);
  });
});
