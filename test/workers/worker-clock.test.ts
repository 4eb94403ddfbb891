import { pino } from 'pino';
import { afterAll, expect, it } from 'vitest';
import { noticeClock } from '../../activities/clock-notices.ts';
import { noticeFleet } from '../../activities/fleet-notices.ts';
import { createLookWriter } from '../../db/looks/look-writer.ts';
import { createWorkerClock } from '../../workers/worker-clock.ts';
import { lookOf, NOON, readVm, registerVm, resultsOf } from '../db/watched.ts';
import { setDatabaseTime } from '../support/database-time.ts';
import { openTestDatabase } from '../support/postgres.ts';

const testDatabase = await openTestDatabase(NOON);
const { database } = testDatabase;
afterAll(testDatabase.close);

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

it('goes by the database where the machine’s clock is wrong, and says so when it begins, each minute, and when it ends', () => {
  let machineMs = NOON - HOUR;
  const reported: number[] = [];
  const clock = createWorkerClock(
    (offsetMs) => reported.push(offsetMs),
    () => machineMs,
  );
  const hear = (otherMs: number) => clock.hear({ otherMs, askedAtMs: machineMs, answeredAtMs: machineMs });
  hear(machineMs);
  expect([clock.now(), reported]).toEqual([NOON - HOUR, []]);
  hear(NOON);
  expect([clock.now(), reported]).toEqual([NOON, [HOUR]]);
  machineMs += 59_999;
  hear(NOON + 59_999);
  expect(reported).toEqual([HOUR]);
  machineMs += 1;
  hear(NOON + MINUTE);
  expect([clock.now(), reported]).toEqual([NOON + MINUTE, [HOUR, HOUR]]);
  machineMs = NOON + MINUTE + 1_000;
  hear(NOON + MINUTE);
  expect([clock.now(), reported]).toEqual([NOON + MINUTE + 1_000, [HOUR, HOUR, 0]]);
  hear(NOON + MINUTE);
  expect(reported).toHaveLength(3);
});

it('hears the database’s time with every look that is stored', async () => {
  await setDatabaseTime(database.pool, NOON);
  const told: number[] = [];
  const writer = createLookWriter(database.pool, undefined, ({ otherMs, askedAtMs, answeredAtMs }) => {
    told.push(otherMs);
    expect(askedAtMs).toBeLessThanOrEqual(answeredAtMs);
  });
  const vm = await registerVm(database);
  await writer.write(lookOf(vm, resultsOf(vm, NOON)));
  await setDatabaseTime(database.pool, NOON + MINUTE);
  const again = await readVm(database.pool, vm.vmId);
  await writer.write(lookOf(again, resultsOf(again, NOON + MINUTE)));
  expect(told).toEqual([NOON, NOON + MINUTE]);
});

it('people are told of it until it is right, or its worker is gone', async () => {
  let nowMs = NOON;
  const deps = { database, log: pino({ level: 'silent' }), now: () => nowMs };
  const open = async () => {
    await noticeFleet(deps);
    const sql =
      "SELECT subject, message FROM notices WHERE kind = 'clock-wrong' AND closed_at IS NULL ORDER BY subject";
    return (await database.pool.query(sql)).rows;
  };
  await noticeClock(deps, 'one', HOUR);
  await noticeClock(deps, 'two', -2_500);
  expect(await open()).toEqual([
    { subject: 'machine/one', message: expect.stringMatching(/^The clock of worker machine one is 3600\.0 s behind/) },
    { subject: 'machine/two', message: expect.stringMatching(/is 2\.5 s ahead of the database's/) },
  ]);
  await noticeClock(deps, 'two', 0);
  expect(await open()).toMatchObject([{ subject: 'machine/one' }]);
  nowMs += 5 * MINUTE + 1;
  expect(await open()).toEqual([]);
});
