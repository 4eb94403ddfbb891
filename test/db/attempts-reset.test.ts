import { afterAll, expect, it } from 'vitest';
import { recordVmChanged } from '../../db/fleet/vm-changes.ts';
import { recordAttemptsReset } from '../../db/heals/attempts-reset.ts';
import { findHealSubject, recordStoppedOnPurpose } from '../../db/heals/heal-subject.ts';
import { findAttempts } from '../../db/heals/operations.ts';
import { attemptsCountSince } from '../../domain/policy.ts';
import { policy } from '../domain/examples.ts';
import { setDatabaseTime } from '../support/database-time.ts';
import { openTestDatabase } from '../support/postgres.ts';
import { intendedReset } from './intended-operation.ts';
import { DAY, NOON, readVm, registerVm } from './watched.ts';

const { database, close } = await openTestDatabase(NOON);
afterAll(close);

/** Of an API process whose clock is wrong. */
const author = (offMs: number) => ({ tenantId: 'default', actor: 'a test', nowMs: NOON + offMs });

it.each([DAY, -DAY])('attempts count from their reset on, though the API’s clock is off by %i ms', async (offMs) => {
  const { vmId } = await registerVm(database);
  await intendedReset(database, vmId);
  await setDatabaseTime(database.pool, NOON + 1_000);
  await recordAttemptsReset(database, vmId, author(offMs));
  const attempts = async () => {
    const subject = await findHealSubject(database.orm, vmId);
    const sinceMs = attemptsCountSince(policy(), subject!.attemptsResetAtMs, NOON + 2_000);
    return (await findAttempts(database.orm, vmId, sinceMs)).length;
  };
  expect(await attempts()).toBe(0);
  await database.pool.query(`UPDATE operations SET intended_at = $2 WHERE vm_id = $1`, [vmId, new Date(NOON + 2_000)]);
  expect(await attempts()).toBe(1);
});

it('a VM that is started has its time to boot from then on, though the API’s clock is wrong', async () => {
  await setDatabaseTime(database.pool, NOON);
  const { vmId } = await registerVm(database);
  await recordStoppedOnPurpose(database.orm, vmId, NOON - DAY);
  const change = { stoppedOnPurposeAt: null };
  await recordVmChanged(database, { vmId, version: 1 }, change, [], author(-DAY));
  expect((await readVm(database.pool, vmId)).startedAtMs).toBe(NOON);
});
