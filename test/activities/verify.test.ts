import { eq } from 'drizzle-orm';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { verify } from '../../activities/heal/verify.ts';
import { recordPaused } from '../../db/fleet/pause.ts';
import { findOperation, type NewOperation, recordOperationEvent } from '../../db/heals/operations.ts';
import { moveToSent } from '../../db/heals/sending.ts';
import { vms } from '../../db/schema/vms.ts';
import { intendedReset } from '../db/intended-operation.ts';
import { NOON } from '../db/watched.ts';
import { openTestDatabase } from '../support/postgres.ts';
import { HealWorld, MINUTE, type Patient, SECOND } from './heal-world.ts';

const { database, close } = await openTestDatabase(NOON);
afterAll(close);

let world: HealWorld;
let ill: Patient;
let operationId: string;
beforeEach(async () => {
  world = new HealWorld(database);
  await world.setTime(SECOND);
  ill = await world.illVm();
});

/** A reset that was done ten seconds after noon, unless it says otherwise. */
async function done(given: Partial<NewOperation> = {}): Promise<void> {
  const operation = await intendedReset(database, ill.vmId, given);
  operationId = operation.id;
  await moveToSent(database, operation, 'running');
  const event = { kind: 'done', detail: 'done', conclusive: false, presumed: false } as const;
  await database.orm.transaction((tx) => recordOperationEvent(tx, operationId, event, NOON + 10 * SECOND));
  await world.setTime(2 * MINUTE);
}

const verifyNow = (windowOver = false) => verify(world.deps, { ...ill, operationId, windowOver });
const judged = async () => (await findOperation(database.orm, operationId))!;

describe('a remedy', () => {
  it('has helped when a look that began after it is healthy', async () => {
    await done();
    await world.look(ill.vmId, MINUTE, 'healthy');
    expect(await verifyNow()).toEqual({ settled: true, helped: true, line: 'restart helped: healthy again' });
    expect(await judged()).toMatchObject({
      result: 'success',
      errorMessage: null,
      judgedAt: new Date(NOON + 2 * MINUTE),
    });
  });

  it('has not helped yet when a look that began before it is healthy: the next one may show it', async () => {
    await done();
    await world.look(ill.vmId, 5 * SECOND, 'healthy');
    expect(await verifyNow()).toEqual({
      settled: false,
      lookAgainInMs: 6_000,
      line: 'waits up to 60 s to see whether restart helped',
    });
    expect(await judged()).toMatchObject({ result: 'pending' });
  });

  it('has not helped yet while its VM is ill, and news will come when that changes', async () => {
    await done();
    await world.look(ill.vmId, MINUTE, 'unhealthy');
    expect(await verifyNow()).toEqual({
      settled: false,
      line: 'waits up to 60 s to see whether restart helped',
    });
  });

  it('is not judged by load or upkeep', async () => {
    ill = await world.illVm({}, [{}, { checkType: 'certificate' }]);
    await done();
    await world.look(ill.vmId, MINUTE, 'healthy', 'http');
    expect(await verifyNow()).toMatchObject({ settled: true });
  });

  it('has failed when its window is over without health', async () => {
    await done();
    await world.look(ill.vmId, MINUTE, 'unhealthy');
    expect(await verifyNow(true)).toEqual({ settled: false, line: 'not healthy within 60 s of the remedy' });
    expect(await judged()).toMatchObject({
      result: 'failed',
      errorMessage: 'not healthy within 60 s of the remedy',
      judgedAt: new Date(NOON + 2 * MINUTE),
    });
  });

  it('has helped when its VM is healthy at the end of its window', async () => {
    await done();
    await world.look(ill.vmId, MINUTE, 'healthy');
    expect(await verifyNow(true)).toMatchObject({ settled: true });
    expect(await judged()).toMatchObject({ result: 'success' });
  });

  it('without a window has failed when it is not known whether it was done', async () => {
    await done({ action: 'stop', power: 'stop', verifyMs: 0 });
    expect(await verifyNow(true)).toEqual({
      settled: false,
      line: 'it is not known whether the remedy was carried out',
    });
    expect(await judged()).toMatchObject({ result: 'failed' });
  });

  it('that only notified people is not judged by looks', async () => {
    await done({ action: 'notify_only', power: null, verifyMs: 0 });
    expect(await verifyNow(true)).toMatchObject({ settled: false });
    expect(await judged()).toMatchObject({ result: 'pending', judgedAt: null });
  });

  it('that was never sent needs no judgement, nor does one that is not there', async () => {
    operationId = (await intendedReset(database, ill.vmId)).id;
    const never = { kind: 'withdrawn', detail: 'refused', result: 'failed' } as const;
    await database.orm.transaction((tx) => recordOperationEvent(tx, operationId, never, NOON));
    expect(await verifyNow(true)).toEqual({ settled: true, line: 'the remedy was never sent' });
    operationId = 'unheard of';
    expect(await verifyNow(true)).toEqual({ settled: true, line: 'the remedy was never sent' });
  });

  it('of which nobody knows yet whether it was sent has helped when its VM is healthy', async () => {
    const operation = await intendedReset(database, ill.vmId);
    operationId = operation.id;
    await moveToSent(database, operation, 'running');
    await world.look(ill.vmId, MINUTE, 'healthy');
    expect(await verifyNow()).toMatchObject({ settled: true });
    expect(await judged()).toMatchObject({ result: 'success' });
  });

  it('on a paused VM is not judged: nobody looks', async () => {
    await done();
    await recordPaused(database, ill.vmId, 'rack move', { tenantId: 'default', actor: 'a test', nowMs: NOON });
    expect(await verifyNow(true)).toMatchObject({
      settled: false,
      paused: true,
      line: expect.stringMatching(/^paused/),
    });
    expect(await judged()).toMatchObject({ result: 'pending' });
  });

  it.each([
    ['deleted', { deletedAt: new Date(NOON + MINUTE) }],
    ['stopped on purpose', { stoppedOnPurposeAt: new Date(NOON + MINUTE) }],
  ])('has nothing left to help when its VM was %s', async (_what, change) => {
    await done();
    await database.orm.update(vms).set(change).where(eq(vms.id, ill.vmId));
    expect(await verifyNow()).toEqual({
      settled: true,
      line: 'nothing left to judge: the VM was deleted or stopped',
    });
    expect(await judged()).toMatchObject({
      result: 'failed',
      errorMessage: 'the VM was deleted or stopped before it was seen healthy',
    });
  });
});
