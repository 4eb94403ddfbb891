import { readFileSync, writeFileSync } from 'node:fs';
import { expect, inject, it, vi } from 'vitest';
import '../support/provided.ts';
import { runCampaign } from './campaign.ts';
import type { Plan } from './plan.ts';
import { play } from './play.ts';

vi.mock('@temporalio/workflow', async (real) => ({
  ...(await real<object>()),
  ...(await import('./runtime/workflow-api.ts')),
}));

const planFile = inject('campaign').plan;
const print = (line: string): void => console.log(line);

it.runIf(planFile !== undefined)('plan', async () => {
  const verdict = await play(JSON.parse(readFileSync(planFile!, 'utf8')) as Plan);
  print(`${verdict.commands} power commands, ${verdict.vmHours.toFixed(1)} VM-hours`);
  expect(verdict.violations).toEqual([]);
});

it.runIf(planFile === undefined)('campaign', async () => {
  const { output, ...options } = inject('campaign');
  const { seen, ...result } = await runCampaign(options, print);
  if (output !== undefined) writeFileSync(output, JSON.stringify({ ...result, seen: [...seen] }));
  expect(result.failures).toEqual([]);
});
