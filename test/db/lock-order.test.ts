import { sql } from 'drizzle-orm';
import { Client } from 'pg';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { endOperation } from '../../activities/heal/end-operation.ts';
import { ensureAdminToken } from '../../db/access/admin-token.ts';
import { recordToken, recordTokenRevoked } from '../../db/access/api-tokens.ts';
import type { Author } from '../../db/access/audit.ts';
import { recordTenant } from '../../db/access/tenants.ts';
import { openDatabase } from '../../db/database.ts';
import { type Aims, recordCheck, recordCheckDisabled, recordFirstAgentCheck } from '../../db/fleet/check-settings.ts';
import { recordPaused, recordResumed } from '../../db/fleet/pause.ts';
import { recordVmChanged, recordVmDeleted } from '../../db/fleet/vm-changes.ts';
import { type NewCheck, type NewVm, recordVm, withdrawVm } from '../../db/fleet/vm-registration.ts';
import { recordAttemptsReset } from '../../db/heals/attempts-reset.ts';
import { recordIncident } from '../../db/heals/incidents.ts';
import { moveToSent } from '../../db/heals/sending.ts';
import { createLookWriter } from '../../db/looks/look-writer.ts';
import { recordPolicy, recordPolicyChanged, recordPolicyDeleted } from '../../db/policies/policy-changes.ts';
import {
  recordProviderInstance,
  recordProviderInstanceChanged,
  recordProviderInstanceRemoved,
} from '../../db/providers/provider-instances.ts';
import { LOCK_ORDER } from '../../db/transactions.ts';
import { until } from '../../local/until.ts';
import { openTestDatabase } from '../support/postgres.ts';
import { seedVm } from '../support/seed-vm.ts';
import { backendThatWaits } from './held-row.ts';
import { intendedReset } from './intended-operation.ts';
import { lookOf, NOON, readVm, registerVm, resultsOf } from './watched.ts';

const testDatabase = await openTestDatabase(NOON);
const { database } = testDatabase;
afterAll(testDatabase.close);

const author: Author = { tenantId: 'default', actor: 'a test', nowMs: NOON };
const SAME: Aims = { before: 'here', after: 'here' };
const THERE: Aims = { before: 'here', after: 'there' };
const check: NewCheck = {
  checkType: 'tcp',
  name: '',
  target: '22',
  intervalSeconds: 60,
  failureThreshold: 3,
  successThreshold: 1,
  options: {},
  enabled: true,
};
const newVm: NewVm = {
  name: 'new',
  address: null,
  externalId: null,
  site: 'main',
  host: null,
  tags: [],
  provider: { kind: 'local' },
  providerKey: null,
  providerInstanceId: null,
  reportIntervalSeconds: 60,
  keepRunning: false,
};
const policy = {
  name: 'policy',
  enabled: true,
  triggerAfterFailures: 2,
  action: 'restart' as const,
  cooldownMinutes: 1,
  maxAttempts: 3,
  attemptWindowHours: 24,
  notifyOnTrigger: true,
  escalateAfterAttempts: null,
  escalationAction: 'notify_only' as const,
  verifySeconds: 60,
  vmId: null,
  tag: null,
};

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

describe('the order of locks', () => {
  /** What each transaction of this handle locked, in order. */
  const locked: string[][] = [];
  const own = openDatabase(testDatabase.url, { applicationName: 'ordered' });
  afterAll(() => own.close());
  own.pool.on('connect', (client) => {
    const query = client.query.bind(client) as (...args: unknown[]) => unknown;
    let tables: string[] | null = null;
    Object.assign(client, {
      query(...args: unknown[]) {
        const [given] = args as [string | { text: string }];
        const text = typeof given === 'string' ? given : given.text;
        if (/^begin/i.test(text)) locked.push((tables = []));
        else if (/^(commit|rollback)$/i.test(text)) tables = null;
        else tables?.push(...lockedBy(text));
        return query(...args);
      },
    });
  });

  function lockedBy(text: string): string[] {
    const changed = /^(?:update|delete from|insert into) "(\w+)"/i.exec(text)?.[1];
    const selected = /for (?:no key )?(?:update|key share|share)/i.test(text) && / from "(\w+)"/i.exec(text)?.[1];
    return [changed ?? selected].filter((table) => typeof table === 'string');
  }

  beforeEach(() => locked.splice(0));

  async function aVm(checks = [{}]): Promise<string> {
    return seedVm(database, {}, checks);
  }

  it.each<[what: string, work: () => Promise<unknown>]>([
    ['registering a VM', () => recordVm(own, newVm, [check], author)],
    [
      'registering a VM at a provider instance',
      async () => {
        const settings = { kind: 'qemu', tenantId: null, name: 'p', site: 'main', config: {}, credentials: null };
        const instance = await recordProviderInstance(database, settings, author);
        return recordVm(own, { ...newVm, providerInstanceId: instance!.id }, [], author);
      },
    ],
    ['taking a registration back', async () => withdrawVm(own, await aVm(), author)],
    ['changing a VM', async () => recordVmChanged(own, { vmId: await aVm(), version: 1 }, { name: 'x' }, [], author)],
    ['deleting a VM', async () => recordVmDeleted(own, await aVm(), author)],
    ['setting a check', async () => recordCheck(own, { vmId: await aVm(), version: 1 }, check, SAME, author)],
    [
      'enabling a check again',
      async () => {
        const vmId = await aVm([{ ...check, enabled: false }]);
        return recordCheck(own, { vmId, version: 1 }, check, SAME, author);
      },
    ],
    [
      'aiming a check elsewhere, with less time to answer',
      async () => {
        const vmId = await aVm([{ ...check, timeoutSeconds: 9 }]);
        return recordCheck(own, { vmId, version: 1 }, { ...check, timeoutSeconds: 1 }, THERE, author);
      },
    ],
    [
      'starting a VM',
      async () => {
        const vmId = await seedVm(database, { stoppedOnPurposeAt: new Date(NOON) }, [check]);
        return recordVmChanged(own, { vmId, version: 1 }, { stoppedOnPurposeAt: null }, [], author);
      },
    ],
    [
      'giving a VM another address',
      async () => {
        const { vmId, checks } = await registerVm(database, {}, [check]);
        const changes = checks.map(({ checkId }) => ({ checkId, before: 'here', after: 'there' }));
        return recordVmChanged(own, { vmId, version: 1 }, { address: '192.0.2.9' }, changes, author);
      },
    ],
    [
      'ending an operation that started a VM',
      async () => {
        const { id } = await intendedReset(database, await aVm(), { power: 'start' });
        return endOperation({ database: own, now: () => NOON }, id, {
          kind: 'done',
          detail: 'started',
          conclusive: false,
          presumed: false,
        });
      },
    ],
    [
      'ending an operation that stopped a VM',
      async () => {
        const { id } = await intendedReset(database, await aVm(), { power: 'stop' });
        return endOperation({ database: own, now: () => NOON }, id, {
          kind: 'done',
          detail: 'stopped',
          conclusive: true,
          presumed: false,
        });
      },
    ],
    [
      'disabling a check',
      async () => {
        const vm = await registerVm(database, {}, [check]);
        const { checkId: id, checkType, name } = vm.checks[0]!;
        return recordCheckDisabled(own, vm.vmId, { id, checkType, name }, author);
      },
    ],
    [
      'the first report of an agent',
      async () => recordFirstAgentCheck(own, await aVm([]), { ...check, checkType: 'agent' }, author),
    ],
    ['pausing a VM', async () => recordPaused(own, await aVm(), 'upkeep', author)],
    [
      'resuming a VM',
      async () => {
        const vmId = await aVm();
        await recordPaused(database, vmId, 'upkeep', author);
        return recordResumed(own, vmId, author);
      },
    ],
    [
      'moving an operation to sent',
      async () => {
        return moveToSent(own, await intendedReset(database, await aVm()), 'running');
      },
    ],
    ['resetting attempts', async () => recordAttemptsReset(own, await aVm(), author)],
    ['opening an incident', async () => recordIncident(own, await aVm(), NOON)],
    ['making a policy', () => recordPolicy(own, policy, author)],
    [
      'changing a policy',
      async () => recordPolicyChanged(own, (await recordPolicy(database, policy, author)).id, { name: 'x' }, author),
    ],
    [
      'removing a policy',
      async () => recordPolicyDeleted(own, (await recordPolicy(database, policy, author)).id, author),
    ],
    ['making a tenant', () => recordTenant(own, { id: 'acme', name: 'Acme' }, author)],
    [
      'making a token',
      () =>
        own.orm.transaction((tx) =>
          recordToken(tx, { tenantId: 'default', role: 'USER', vmId: null, name: 't', expiresAtMs: null }, author),
        ),
    ],
    [
      'revoking a token',
      () => recordTokenRevoked(own, '00000000-0000-4000-8000-00000000dead', { operator: true }, author),
    ],
    ['setting the token of the installation', () => ensureAdminToken(own, 'x', new Date(NOON))],
    [
      'changing a provider instance',
      async () => {
        const settings = { kind: 'qemu', tenantId: null, name: 'q', site: 'main', config: {}, credentials: null };
        const instance = await recordProviderInstance(database, settings, author);
        return recordProviderInstanceChanged(own, instance!.id, { name: 'r' }, author);
      },
    ],
    [
      'removing a provider instance',
      async () => {
        const settings = { kind: 'qemu', tenantId: null, name: 's', site: 'main', config: {}, credentials: null };
        const instance = await recordProviderInstance(database, settings, author);
        return recordProviderInstanceRemoved(own, instance!.id, author);
      },
    ],
  ])('is kept by %s', async (_what, work) => {
    await work();
    expect(locked).toHaveLength(1);
    // a row that is locked already is not waited for again
    const tables = [...new Set(locked[0])];
    const places = tables
      .map((table) => LOCK_ORDER.findIndex((known) => known === table))
      .filter((place) => place >= 0);
    expect(places.length).toBeGreaterThan(0);
    expect(places, tables.join(' → ')).toEqual(places.toSorted((a, b) => a - b));
  });
});
