import { randomUUID } from 'node:crypto';
import { afterAll, expect, it } from 'vitest';
import { recordPaused } from '../../db/fleet/pause.ts';
import { findOpenIncident, recordIncident, recordIncidentClosed } from '../../db/heals/incidents.ts';
import { openTestDatabase } from '../support/postgres.ts';
import { NOON, registerVm } from './watched.ts';

const { database, close } = await openTestDatabase();
afterAll(close);

it('a VM has one open incident at a time, and they are numbered one after the other', async () => {
  const { vmId } = await registerVm(database);
  expect(await recordIncident(database, vmId, NOON)).toBe(1);
  expect(await recordIncident(database, vmId, NOON + 1)).toBe(1);
  await recordIncidentClosed(database.orm, vmId, 1, 'recovered', NOON + 2);
  expect(await findOpenIncident(database.orm, vmId)).toBeNull();
  expect(await recordIncident(database, vmId, NOON + 3)).toBe(2);
});

it('of two who open one at the same time, both have the same', async () => {
  const { vmId } = await registerVm(database);
  const opening = [1, 2, 3, 4].map(() => recordIncident(database, vmId, NOON));
  expect(await Promise.all(opening)).toEqual([1, 1, 1, 1]);
});

it('a paused VM gets none, not even for a look that ended as it was being paused', async () => {
  const { vmId } = await registerVm(database);
  await recordPaused(database, vmId, 'rack move', { tenantId: 'default', actor: 'a test', nowMs: NOON });
  expect(await recordIncident(database, vmId, NOON)).toBeNull();
  expect(await findOpenIncident(database.orm, vmId)).toBeNull();
});

it('a VM that is not there gets none', async () => {
  await expect(recordIncident(database, randomUUID(), NOON)).rejects.toThrow('no VM');
});
