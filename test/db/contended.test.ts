import { sql } from 'drizzle-orm';
import { Client } from 'pg';
import { afterAll, describe, expect, it } from 'vitest';
import type { Author } from '../../db/access/audit.ts';
import { openDatabase } from '../../db/database.ts';
import { type Aims, recordCheck, recordFirstAgentCheck } from '../../db/fleet/check-settings.ts';
import { recordAttemptsReset } from '../../db/heals/attempts-reset.ts';
import { createLookWriter } from '../../db/looks/look-writer.ts';
import { until } from '../../local/until.ts';
import { openTestDatabase } from '../support/postgres.ts';
import { backendThatWaits } from './held-row.ts';
import { newCheck as check } from './new-check.ts';
import { lookOf, NOON, readVm, registerVm, resultsOf } from './watched.ts';

const testDatabase = await openTestDatabase(NOON);
const { database } = testDatabase;
afterAll(testDatabase.close);

const author: Author = { tenantId: 'default', actor: 'a test', nowMs: NOON };
const SAME: Aims = { before: 'here', after: 'here' };

describe('two changes of one VM at the same time', () => {
  /** Locks a VM's check states, so that a transaction that needs them stops there. */
  async function holdStates(vmId: string): Promise<Client> {
    const client = new Client({ connectionString: testDatabase.url });
    await client.connect();
    await client.query('BEGIN');
    await client.query('SELECT 1 FROM check_state WHERE vm_id = $1 FOR UPDATE', [vmId]);
    return client;
  }

  it('never wait for each other: the reset of attempts, and a check that is enabled again', async () => {
    const [one, other] = ['resetter', 'setter'].map((applicationName) =>
      openDatabase(testDatabase.url, { applicationName }),
    );
    const vm = await registerVm(database, {}, [{ ...check, enabled: true }]);
    await createLookWriter(database.pool).write(lookOf(vm, resultsOf(vm, NOON)));
    await database.pool.query('UPDATE check_configs SET enabled = false WHERE vm_id = $1', [vm.vmId]);

    const holder = await holdStates(vm.vmId);
    const reset = recordAttemptsReset(one!, vm.vmId, author);
    await backendThatWaits(database.pool, 'resetter');
    const set = recordCheck(other!, { vmId: vm.vmId, version: 1 }, check, SAME, author);
    await backendThatWaits(database.pool, 'setter');
    await holder.end();
    await reset;
    expect(await set).toMatchObject({ vmId: vm.vmId, version: 2 });
    expect([one!.counts.retried, other!.counts.retried]).toEqual([0, 0]);
    expect((await readVm(database.pool, vm.vmId)).checks[0]?.state.reason).toBe('not-checked-yet');
    await one!.close();
    await other!.close();
  });

  it('never wait for each other: an agent that reports for the first time, and who sets up its check', async () => {
    const [agent, person] = ['agent', 'person'].map((applicationName) =>
      openDatabase(testDatabase.url, { applicationName }),
    );
    const vm = await registerVm(database, {}, []);
    const agentCheck = { ...check, checkType: 'agent', target: null };
    // the first that changes the VM waits for this lock
    const holder = new Client({ connectionString: testDatabase.url });
    await holder.connect();
    await holder.query('BEGIN');
    await holder.query('SELECT 1 FROM vms WHERE id = $1 FOR UPDATE', [vm.vmId]);
    const set = recordCheck(person!, { vmId: vm.vmId, version: 1 }, agentCheck, SAME, author);
    await backendThatWaits(database.pool, 'person');
    const reported = recordFirstAgentCheck(agent!, vm.vmId, agentCheck, author);
    await backendThatWaits(database.pool, 'agent');
    await holder.end();
    const done = await Promise.all([set, reported]);
    expect(done.filter((one) => one !== null).length).toBeGreaterThan(0);
    expect([agent!.counts.retried, person!.counts.retried]).toEqual([0, 0]);
    expect((await readVm(database.pool, vm.vmId)).checks).toHaveLength(1);
    await agent!.close();
    await person!.close();
  });
});

describe('a transaction that Postgres rolls back because of another', () => {
  it('is done again: of two that lock two rows crosswise, both are done', async () => {
    const own = openDatabase(testDatabase.url, { applicationName: 'crosswise' });
    const [a, b] = await Promise.all([registerVm(database), registerVm(database)]);
    let begun = 0;
    const rename = (first: string, second: string, name: string) =>
      own.orm.transaction(async (tx) => {
        await tx.execute(sql`UPDATE vms SET name = ${name} WHERE id = ${first}`);
        begun++;
        await until(() => begun >= 2, { everyMs: 1 });
        await tx.execute(sql`UPDATE vms SET name = ${name} WHERE id = ${second}`);
      });
    await Promise.all([rename(a.vmId, b.vmId, 'one'), rename(b.vmId, a.vmId, 'other')]);
    expect(own.counts.retried).toBe(1);
    const names = (await Promise.all([a, b].map(({ vmId }) => readVm(database.pool, vmId)))).map(({ name }) => name);
    expect(new Set(names).size).toBe(1);
    await own.close();
  });

  it('is done again when it could not be serialized', async () => {
    const own = openDatabase(testDatabase.url, { applicationName: 'serial' });
    const vm = await registerVm(database);
    let tries = 0;
    await own.orm.transaction(
      async (tx) => {
        tries++;
        await tx.execute(sql`SELECT name FROM vms WHERE id = ${vm.vmId}`);
        if (tries === 1) await database.pool.query(`UPDATE vms SET name = 'theirs' WHERE id = $1`, [vm.vmId]);
        await tx.execute(sql`UPDATE vms SET name = name || ' and ours' WHERE id = ${vm.vmId}`);
      },
      { isolationLevel: 'repeatable read' },
    );
    expect(tries).toBe(2);
    expect((await readVm(database.pool, vm.vmId)).name).toBe('theirs and ours');
    await own.close();
  });

  it('is given up after a few tries, and no other failure is tried again', async () => {
    const own = openDatabase(testDatabase.url, { applicationName: 'tries' });
    let tries = 0;
    const fail = (code: string) =>
      own.orm.transaction(async (tx) => {
        tries++;
        await tx.execute(sql.raw(`DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '${code}'; END $$`));
      });
    await expect(fail('40001')).rejects.toThrow();
    expect(tries).toBe(5);
    tries = 0;
    for (const code of ['23505', '57014', '53100']) await expect(fail(code)).rejects.toThrow();
    expect(tries).toBe(3);
    await own.close();
  });
});
