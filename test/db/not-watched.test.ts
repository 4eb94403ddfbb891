import fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import { checkFacts } from '../../activities/heal/gather-facts.ts';
import { unannouncedVms, unwatchedVms } from '../../db/upkeep/disagreements.ts';
import { notWatched } from '../../domain/guards/not-watched.ts';
import { ill, policy } from '../domain/examples.ts';
import { NOTIFY } from '../domain/guards/ask.ts';
import { openTestDatabase } from '../support/postgres.ts';
import { NOON, registerVm } from './watched.ts';

const testDatabase = await openTestDatabase(NOON);
const { database } = testDatabase;
afterAll(testDatabase.close);

const anyCheck = fc.record({
  intervalSeconds: fc.integer({ min: 1, max: 40 }),
  timeoutSeconds: fc.option(fc.integer({ min: 1, max: 40 })),
});

it('a VM is not watched from the same moment on for what the API answers, for reconcile and for the guard', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyCheck, { minLength: 1, maxLength: 3 }),
      fc.integer({ min: -200_000, max: 200_000 }),
      async (checks, agoMs) => {
        const lookedAt = new Date(NOON - agoMs);
        const vm = await registerVm(database, {}, checks);
        await database.pool.query('UPDATE vm_status SET last_look_at = $2 WHERE vm_id = $1', [vm.vmId, lookedAt]);
        const found: string[] = [];
        for await (const page of unwatchedVms(database, NOON, NOON)) found.push(...page.map(({ vmId }) => vmId));
        const facts = ill({ checks: checkFacts(vm), lastLookAtMs: lookedAt.getTime() });
        const objection = notWatched.objectionTo({ facts, policy: policy(), remedy: NOTIFY }, NOON);
        expect(found.includes(vm.vmId)).toBe(objection !== null);
        await database.pool.query('DELETE FROM vms WHERE id = $1', [vm.vmId]);
      },
    ),
    { numRuns: 60 },
  );
});

it('reconcile finds a VM all the same that an API process with a clock of tomorrow has registered and changed', async () => {
  const tomorrow = new Date(NOON + 86_400_000);
  const changed = { createdAt: tomorrow, updatedAt: tomorrow };
  const versions = { settingsVersion: 2, announcedVersion: 1 };
  const { vmId } = await registerVm(database, { ...changed, ...versions }, [changed]);
  await database.pool.query('UPDATE vm_status SET last_look_at = $2 WHERE vm_id = $1', [
    vmId,
    new Date(NOON - 600_000),
  ]);
  for (const pages of [unwatchedVms(database, NOON, NOON), unannouncedVms(database, NOON, NOON)]) {
    const found: string[] = [];
    for await (const page of pages) found.push(...page.map((vm) => vm.vmId));
    expect(found).toContain(vmId);
  }
});
