import { Client } from 'pg';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import type { Author } from '../../db/access/audit.ts';
import { openDatabase } from '../../db/database.ts';
import { recordPaused } from '../../db/fleet/pause.ts';
import { recordVmChanged, recordVmDeleted } from '../../db/fleet/vm-changes.ts';
import { recordStoppedOnPurpose } from '../../db/heals/heal-subject.ts';
import { recordIncidentClosed } from '../../db/heals/incidents.ts';
import { findOperation } from '../../db/heals/operations.ts';
import { findSentForMs, moveToSent } from '../../db/heals/sending.ts';
import { createLookWriter } from '../../db/looks/look-writer.ts';
import { recordPolicy } from '../../db/policies/policy-changes.ts';
import type { PowerState } from '../../domain/power.ts';
import type { WatchedVm } from '../../domain/watched.ts';
import { policy, probeResult } from '../domain/examples.ts';
import { setDatabaseTime } from '../support/database-time.ts';
import { openTestDatabase } from '../support/postgres.ts';
import { backendThatWaits, holdRow } from './held-row.ts';
import { intendedReset } from './intended-operation.ts';
import { lookOf, NOON, readVm, registerVm, resultsOf } from './watched.ts';

const testDatabase = await openTestDatabase(NOON);
const { database } = testDatabase;
afterAll(testDatabase.close);

const writer = createLookWriter(database.pool);
const author: Author = { tenantId: 'default', actor: 'a test', nowMs: NOON };
const { id: _id, createdAtMs: _createdAtMs, ...POLICY } = policy();
const SECOND = 1_000;
const MINUTE = 60 * SECOND;

async function looked(vm: WatchedVm, atMs: number, status: 'healthy' | 'unhealthy'): Promise<WatchedVm> {
  await writer.write(lookOf(vm, resultsOf(vm, atMs, probeResult(status))));
  return readVm(database.pool, vm.vmId);
}

/** A VM that has failed three times until noon, and its operation, decided then. */
async function decided() {
  let vm = await registerVm(database, {}, [{}]);
  for (const minutesAgo of [2, 1, 0]) vm = await looked(vm, NOON - minutesAgo * MINUTE, 'unhealthy');
  const [check] = vm.checks;
  const { rows } = await database.pool.query<{ policy_revision: number }>(
    `SELECT policy_revision FROM tenants WHERE id = 'default'`,
  );
  const operation = await intendedReset(database, vm.vmId, {
    fence: {
      settingsVersion: 1,
      policyRevision: rows[0]!.policy_revision,
      checks: [{ checkId: check!.checkId, consecutiveFailures: 3 }],
      powerState: 'running',
      factsAtMs: NOON,
    },
  });
  return { vm, operation };
}

const move = ({ operation }: Awaited<ReturnType<typeof decided>>, power: PowerState = 'running') =>
  moveToSent(database, operation, power);
const stateOf = async (id: string) => (await findOperation(database.orm, id))?.state;

beforeEach(() => setDatabaseTime(database.pool, NOON + SECOND));

describe('an intended operation', () => {
  it('moves to sent once, while its fence holds', async () => {
    const one = await decided();
    expect(await move(one)).toEqual({ kind: 'moved' });
    expect(await findOperation(database.orm, one.operation.id)).toMatchObject({
      state: 'sent',
      sentAt: new Date(NOON + SECOND),
    });
    expect(await move(one)).toEqual({ kind: 'overtaken' });
  });

  it('moves also when the VM has got worse, and when another VM of its tenant was changed', async () => {
    const one = await decided();
    await looked(one.vm, NOON + MINUTE, 'unhealthy');
    const other = await registerVm(database);
    await recordPaused(database, other.vmId, 'upkeep', author);
    await intendedReset(database, (await registerVm(database)).vmId);
    expect(await move(one)).toEqual({ kind: 'moved' });
  });

  it.each<[change: string, why: string, make: (one: Awaited<ReturnType<typeof decided>>) => Promise<unknown>]>([
    ['a pause', 'the VM was paused', ({ vm }) => recordPaused(database, vm.vmId, 'upkeep', author)],
    [
      'its end as a VM',
      'the VM was deleted',
      ({ vm }) => recordVmDeleted(database, { vmId: vm.vmId, version: null }, author),
    ],
    [
      'a stop on purpose',
      'the VM was stopped on purpose',
      ({ vm }) => database.orm.transaction((tx) => recordStoppedOnPurpose(tx, vm.vmId, NOON)),
    ],
    [
      'a change of the VM',
      'the settings of the VM were changed',
      ({ vm }) => recordVmChanged(database, { vmId: vm.vmId, version: 1 }, { name: 'x' }, [], author),
    ],
    ['a policy of its tenant', 'a policy was changed', () => recordPolicy(database, POLICY, author)],
    [
      'the end of its incident',
      'the incident was closed',
      ({ operation }) => recordIncidentClosed(database.orm, operation.vmId, operation.incident, 'recovered', NOON),
    ],
    [
      'an operation that may be under way',
      'another operation was sent to the VM',
      async ({ vm, operation }) => {
        const { fence } = operation;
        expect(
          await moveToSent(database, await intendedReset(database, vm.vmId, { attempt: 2, fence }), 'running'),
        ).toEqual({ kind: 'moved' });
      },
    ],
    [
      'a healthy result, even of a tick before the decision, that came in after it',
      'a check that counted has passed since',
      ({ vm }) => looked(vm, NOON + SECOND, 'healthy'),
    ],
    ['time', 'its facts were 21 s old', () => setDatabaseTime(database.pool, NOON + 21 * SECOND)],
    ['a clock that was set back', 'its facts were -1 s old', () => setDatabaseTime(database.pool, NOON - SECOND)],
  ])('is withdrawn after %s', async (_change, why, make) => {
    const one = await decided();
    await make(one);
    expect(await move(one)).toEqual({ kind: 'unwanted', why });
    expect(await findOperation(database.orm, one.operation.id)).toMatchObject({
      state: 'abandoned',
      result: 'skipped',
      sentAt: null,
      detail: `not sent: ${why}`,
    });
    await setDatabaseTime(database.pool, NOON + SECOND);
    expect(await move(one)).toEqual({ kind: 'overtaken' });
  });

  it('is withdrawn when the hypervisor names another state on the connection that would send it', async () => {
    const one = await decided();
    expect(await move(one, 'paused')).toEqual({
      kind: 'unwanted',
      why: 'its hypervisor says paused now, and said running',
    });
  });

  it('is withdrawn when a version without fences decided it', async () => {
    const { vm } = await decided();
    const operation = await intendedReset(database, vm.vmId, { attempt: 2, fence: null });
    expect(await moveToSent(database, operation, 'running')).toMatchObject({
      why: 'it was decided by an older version',
    });
  });

  it('waits for a look that is being stored, and then counts it', async () => {
    const { vm, operation } = await decided();
    const [looker, sender] = ['looker', 'sender'].map((applicationName) =>
      openDatabase(testDatabase.url, { applicationName }),
    );
    const holder = new Client({ connectionString: testDatabase.url });
    await holder.connect();
    await holder.query('BEGIN');
    await holder.query('SELECT 1 FROM check_state WHERE vm_id = $1 FOR UPDATE', [vm.vmId]);
    const look = lookOf(vm, resultsOf(vm, NOON + SECOND, probeResult('healthy')));
    const storing = createLookWriter(looker!.pool).write(look);
    await backendThatWaits(database.pool, 'looker');
    const moving = moveToSent(sender!, operation, 'running');
    await backendThatWaits(database.pool, 'sender');
    await holder.end();
    expect(await storing).toBe('stored');
    expect(await moving).toEqual({ kind: 'unwanted', why: 'a check that counted has passed since' });
    await looker!.close();
    await sender!.close();
  });

  it('rejects when a lock is not granted within a second', async () => {
    const { vm, operation } = await decided();
    const held = await holdRow(testDatabase.url, vm.vmId);
    await expect(moveToSent(database, operation, 'running')).rejects.toThrow();
    expect(await stateOf(operation.id)).toBe('intended');
    await held.release();
  });
});

it('knows by its own clock how long ago an operation was sent', async () => {
  const one = await decided();
  expect(await findSentForMs(database.orm, one.operation.id)).toBeNull();
  await move(one);
  await setDatabaseTime(database.pool, NOON + 3 * SECOND);
  expect(await findSentForMs(database.orm, one.operation.id)).toBe(2_000);
});
