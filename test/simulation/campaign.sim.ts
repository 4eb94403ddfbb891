import { expect, inject, it } from 'vitest';
import { GUARDS } from '../../domain/remedy.ts';
import '../support/provided.ts';
import { runCampaign } from './campaign.ts';
import { FAULT_KINDS } from './plan.ts';

/** From so many plays on a campaign has to have seen everything that it is about. */
const WHOLE = 200;
const print = (line: string): void => console.log(line);

it('campaign', async () => {
  const options = inject('campaign');
  const result = await runCampaign(options, print);
  const unseen = [
    ...FAULT_KINDS.map((kind) => `fault ${kind}`),
    ...GUARDS.map(({ reason }) => `guard ${reason}`),
    ...ENDS,
  ].filter((what) => !result.seen.has(what));
  print(
    `${result.plays} plays (${result.lost} lost by the test server), ${result.vmHours.toFixed(0)} VM-hours, ${result.commands} power commands, ${result.failures.length} failures`,
  );
  for (const [what, count] of [...result.seen].toSorted()) print(`  ${what}: ${count} plays`);
  for (const what of unseen) print(`  ${what}: never`);
  expect(result.failures).toEqual([]);
  if (result.plays >= WHOLE) expect(unseen, 'never occurred').toEqual([]);
});

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
