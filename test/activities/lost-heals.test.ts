import { pino } from 'pino';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import type { Dependencies, TemporalPort } from '../../activities/dependencies.ts';
import { reconcile } from '../../activities/reconcile.ts';
import { findOpenIncident, recordIncident } from '../../db/heals/incidents.ts';
import { findOperation, type OperationRow, recordOperationEvent } from '../../db/heals/operations.ts';
import { moveToSent } from '../../db/heals/sending.ts';
import { healWorkflowId } from '../../domain/ids.ts';
import { intendedReset } from '../db/intended-operation.ts';
import { NOON, registerVm } from '../db/watched.ts';
import { setDatabaseTime } from '../support/database-time.ts';
import { openTestDatabase } from '../support/postgres.ts';

const { database, close } = await openTestDatabase(NOON);
afterAll(close);

const SECOND = 1_000;
/** The heals whose workflows are there. */
let running: Set<string>;
/** Whom it was told that their heal is over. */
let told: [vmId: string, incident: number][];
/** Of changes that were never announced. */
let onAnnounce: () => boolean;

const temporal: TemporalPort = {
  announce: async () => onAnnounce(),
  retire: async () => true,
  healEnded: async (vmId, incident) => void told.push([vmId, incident]),
  inspect: async (ids) =>
    ids.map((workflowId) => ({
      workflowId,
      isRunning: running.has(workflowId) || workflowId.startsWith('vm/'),
      isIdle: false,
      failsTasks: false,
      vmStatus: null,
    })),
  countWatched: async () => 0,
  watchedVmIds: async function* () {},
  closedVmIds: async () => [],
};

const reconcileAt = (afterNoonMs: number) =>
  reconcile({
    database,
    temporal,
    log: pino({ level: 'silent' }),
    now: () => NOON + afterNoonMs,
  } as unknown as Dependencies);

let operation: OperationRow;
beforeEach(async () => {
  running = new Set();
  told = [];
  onAnnounce = () => true;
  await setDatabaseTime(database.pool, NOON + SECOND);
  operation = await intendedReset(database, (await registerVm(database, { announcedVersion: 1 })).vmId);
});

const stored = async () => (await findOperation(database.orm, operation.id))!;

describe('a heal whose workflow is gone', () => {
  it('is closed a minute after it was opened, and its VM’s workflow hears of it', async () => {
    await reconcileAt(60 * SECOND);
    expect(await findOpenIncident(database.orm, operation.vmId)).toBe(operation.incident);
    expect(told).toEqual([]);
    await reconcileAt(60 * SECOND + 1);
    expect(await findOpenIncident(database.orm, operation.vmId)).toBeNull();
    expect(told).toEqual([[operation.vmId, operation.incident]]);
    expect(await recordIncident(database, operation.vmId, NOON)).toBe(operation.incident + 1);
    await reconcileAt(61 * SECOND);
  });

  it('leaves nothing that could still be sent', async () => {
    await reconcileAt(120 * SECOND);
    const detail = 'never sent: its heal was lost';
    expect(await stored()).toMatchObject({ state: 'abandoned', result: 'failed', detail });
    expect(await moveToSent(database, operation, 'running')).toEqual({ kind: 'overtaken' });
  });

  it('leaves nothing in doubt: what was sent may have been carried out, and was not seen to help', async () => {
    await moveToSent(database, operation, 'running');
    await reconcileAt(120 * SECOND);
    expect(await stored()).toMatchObject({
      state: 'done',
      presumed: true,
      result: 'failed',
      errorMessage: 'its heal was lost before the VM was seen healthy',
      judgedAt: new Date(NOON + 120 * SECOND),
    });
  });

  it('leaves nothing unjudged, and keeps what was judged', async () => {
    const done = { kind: 'done', detail: 'done', conclusive: false, presumed: false } as const;
    const helped = { kind: 'judged', result: 'success', errorMessage: null } as const;
    const record = (id: string, event: typeof done | typeof helped) =>
      database.orm.transaction((tx) => recordOperationEvent(tx, id, event, NOON + 2 * SECOND));
    await record(operation.id, done);
    await record(operation.id, helped);
    const next = await intendedReset(database, operation.vmId, { attempt: 2 });
    await record(next.id, done);
    await reconcileAt(120 * SECOND);
    expect(await stored()).toMatchObject({ result: 'success' });
    expect(await findOperation(database.orm, next.id)).toMatchObject({ state: 'done', result: 'failed' });
  });
});

it('a heal that runs is left alone', async () => {
  running.add(healWorkflowId(operation.vmId, operation.incident));
  await reconcileAt(3_600 * SECOND);
  expect(await findOpenIncident(database.orm, operation.vmId)).toBe(operation.incident);
  expect(await stored()).toMatchObject({ state: 'intended', result: 'pending' });
  expect(told).toEqual([]);
});

it('what fails does not keep the rest from being repaired, and is told', async () => {
  const unannounced = await registerVm(database);
  onAnnounce = () => {
    throw new Error('a row that is wrong');
  };
  await expect(reconcileAt(120 * SECOND)).rejects.toThrow('a row that is wrong');
  expect(told).toContainEqual([operation.vmId, operation.incident]);
  onAnnounce = () => true;
  await reconcileAt(120 * SECOND);
  const { rows } = await database.pool.query('SELECT announced_version FROM vms WHERE id = $1', [unannounced.vmId]);
  expect(rows).toEqual([{ announced_version: 1 }]);
});
