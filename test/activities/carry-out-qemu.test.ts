import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Dependencies } from '../../activities/dependencies.ts';
import { carryOut } from '../../activities/heal/carry-out.ts';
import { readBack } from '../../activities/heal/read-back.ts';
import { resolveOperation } from '../../activities/heal/resolve-operation.ts';
import type { Database } from '../../db/database.ts';
import { recordPaused } from '../../db/fleet/pause.ts';
import { findOperation, type NewOperation } from '../../db/heals/operations.ts';
import { moveToSent } from '../../db/heals/sending.ts';
import type { Fence } from '../../domain/fence.ts';
import { createQemuProvider } from '../../providers/qemu/qemu-provider.ts';
import { intendedReset } from '../db/intended-operation.ts';
import { NOON, readVm, registerVm } from '../db/watched.ts';
import { setDatabaseTime } from '../support/database-time.ts';
import { FakeQmp } from '../support/fake-qmp.ts';
import { openTestDatabase } from '../support/postgres.ts';

const testDatabase = await openTestDatabase(NOON);
const { database } = testDatabase;
afterAll(testDatabase.close);

let fake: FakeQmp;
beforeEach(async () => {
  fake = await FakeQmp.start();
  await setDatabaseTime(database.pool, NOON);
});
afterEach(() => fake.remove());

/** Of a worker that reaches the fake by the real provider. */
function deps(given: Database = database): Dependencies {
  const provider = createQemuProvider({ qmpSocketDirs: [fake.dir] });
  return {
    database: given,
    providers: { kinds: new Map(), reach: () => ({ ok: true, provider }) },
    settings: { DEFIB_SITE: 'main' },
    log: pino({ level: 'silent' }),
    now: () => NOON,
  } as unknown as Dependencies;
}

/** An operation that is to be sent to a VM behind the fake; a reset unless said otherwise. */
async function intended(given: Partial<NewOperation> = {}) {
  const provider = { kind: 'qemu', qmpSocket: fake.path };
  const { vmId } = await registerVm(database, { provider });
  return intendedReset(database, vmId, given);
}

/** The database, where something happens when the first transaction, the move to `sent`, was committed. */
function onceMoved(happens: (orm: Database['orm']) => unknown): Database {
  let moved = false;
  const orm: Database['orm'] = Object.assign(Object.create(database.orm), {
    async transaction(...args: Parameters<Database['orm']['transaction']>) {
      const result = await database.orm.transaction(...args);
      const isMove = !moved;
      moved = true;
      if (isMove) await happens(orm);
      return result;
    },
  });
  return { ...database, orm };
}

const stored = async ({ id }: { id: string }) => findOperation(database.orm, id);

describe('an intended operation', () => {
  it('is sent, and once only', async () => {
    const operation = await intended();
    expect(await carryOut(deps(), operation.id)).toMatchObject({ state: 'done' });
    expect(await carryOut(deps(), operation.id)).toMatchObject({ state: 'sent' });
    expect(await stored(operation)).toMatchObject({ state: 'done', presumed: false });
    expect(fake.received('system_reset')).toBe(1);
  });

  it('is not sent by whoever did not move it to sent', async () => {
    const operation = await intended();
    await moveToSent(database, operation, 'running');
    expect(await carryOut(deps(), operation.id)).toMatchObject({ state: 'sent' });
    expect(await stored(operation)).toMatchObject({ state: 'sent' });
    expect(fake.received('system_reset')).toBe(0);
  });

  it('is not sent when it is not wanted any more, and says why', async () => {
    const operation = await intended();
    await recordPaused(database, operation.vmId, 'rack move', { tenantId: 'default', actor: 'a test', nowMs: NOON });
    const why = { state: 'abandoned', detail: 'not sent: the VM was paused' };
    expect(await carryOut(deps(), operation.id)).toEqual(why);
    expect(await stored(operation)).toMatchObject({ ...why, result: 'skipped' });
    expect(fake.received('system_reset')).toBe(0);
  });

  it('is not sent when the answer to its move to sent is lost, though it was moved', async () => {
    const operation = await intended();
    const lost = onceMoved(() => Promise.reject(new Error('the connection was lost')));
    expect(await carryOut(deps(lost), operation.id)).toMatchObject({
      state: 'abandoned',
      detail: 'not sent: the database did not confirm that it may be (the connection was lost)',
    });
    expect(await stored(operation)).toMatchObject({ state: 'abandoned', sentAt: new Date(NOON), result: 'failed' });
    expect(fake.received('system_reset')).toBe(0);
  });

  const TOO_LATE = {
    state: 'abandoned',
    detail: 'not sent: it could not be confirmed in time that it is still wanted',
  };

  it.each<[string, (orm: Database['orm'], operationId: string) => unknown, string]>([
    ['more than 2 s passed by the clock of the database', () => setDatabaseTime(database.pool, NOON + 2_100), 'failed'],
    ['more than 2 s passed by the clock of the worker', () => sleep(2_100), 'failed'],
    [
      'that the move still stands is not answered',
      (orm) => {
        orm.select = () => {
          throw new Error('the database is away');
        };
      },
      'failed',
    ],
    ['it was presumed to be done meanwhile', (_, operationId) => resolveOperation(deps(), operationId), 'skipped'],
  ])('is not sent when, once it was moved to sent, %s', async (_, happens, result) => {
    const operation = await intended();
    const held = onceMoved((orm) => happens(orm, operation.id));
    expect(await carryOut(deps(held), operation.id)).toEqual(TOO_LATE);
    expect(await stored(operation)).toMatchObject({ ...TOO_LATE, presumed: false, result });
    expect(fake.received('system_reset')).toBe(0);
  });
});

describe('a stop in doubt', () => {
  async function resolved(before?: () => Promise<unknown>) {
    const operation = await intended({ action: 'stop', power: 'stop', verifyMs: 0 });
    expect(await carryOut(deps(), operation.id)).toMatchObject({ state: 'sent' });
    await before?.();
    await setDatabaseTime(database.pool, NOON + 3_000);
    await resolveOperation(deps(), operation.id, { readBack: await readBack(deps(), operation.id) });
    const { stoppedOnPurpose } = await readVm(database.pool, operation.vmId);
    return { ...(await stored(operation)), stoppedOnPurpose };
  }

  it('was carried out when the hypervisor says paused', async () => {
    fake.behave('drops-after-acting', 'stop');
    const success = { state: 'done', presumed: false, result: 'success', stoppedOnPurpose: true };
    expect(await resolved()).toMatchObject({ ...success, detail: 'read back at the hypervisor: QEMU says paused' });
  });

  it('was not sent when the hypervisor says running, and the VM is watched on', async () => {
    fake.behave('drops-before-acting', 'stop');
    const notSent = { state: 'abandoned', result: 'failed', stoppedOnPurpose: false };
    expect(await resolved()).toMatchObject({ ...notSent, detail: 'read back at the hypervisor: QEMU says running' });
  });

  it('is no success while the hypervisor does not answer, and the VM is watched on', async () => {
    fake.behave('drops-after-acting', 'stop');
    const presumed = { state: 'done', presumed: true, result: 'pending', stoppedOnPurpose: false };
    expect(await resolved(() => fake.close())).toMatchObject(presumed);
  });

  it('is not read back as long as it may still be being written', async () => {
    fake.behave('drops-before-acting', 'stop');
    const operation = await intended({ action: 'stop', power: 'stop' });
    await carryOut(deps(), operation.id);
    await setDatabaseTime(database.pool, NOON + 2_900);
    await expect(readBack(deps(), operation.id)).rejects.toThrow('it may still be sent');
  });
});

it('a start that ended between its reset and `cont` is presumed done: the guard `in-transit` lets another remedy follow', async () => {
  fake.vm.status = 'shutdown';
  fake.behave('drops-before-acting', 'cont');
  const fence: Fence = { settingsVersion: 1, policyRevision: 0, checks: [], powerState: 'off', factsAtMs: NOON };
  const operation = await intended({ action: 'start', power: 'start', cause: 'off', fence });
  expect(await carryOut(deps(), operation.id)).toMatchObject({ state: 'sent' });
  await setDatabaseTime(database.pool, NOON + 3_000);
  await resolveOperation(deps(), operation.id, { readBack: await readBack(deps(), operation.id) });
  expect(await stored(operation)).toMatchObject({ state: 'done', presumed: true, result: 'pending' });
});
