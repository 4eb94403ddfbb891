import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Database, openDatabase } from '../../db/database.ts';
import { LIMITS } from '../../db/limits.ts';
import { createLookWriter, type LookWriter, MAX_LANES } from '../../db/looks/look-writer.ts';
import { until } from '../../local/until.ts';
import { openTestDatabase } from '../support/postgres.ts';
import { backendThatWaits, holdRow } from './held-row.ts';
import { count, lookOf, NOON, registerVm, resultsOf } from './watched.ts';

const MINUTE = 60_000;
/** Waits for a locked row as long as a test lasts. */
const PATIENT = { ...LIMITS.writes, lockMs: 0, statementMs: 0, answerMs: 600_000 };

const testDatabase = await openTestDatabase(NOON);
const { database } = testDatabase;
afterAll(testDatabase.close);

let own: Database;
let looks: LookWriter;
beforeEach(() => {
  own = openDatabase(testDatabase.url, { applicationName: 'lanes', max: MAX_LANES + 1, limits: PATIENT });
  looks = createLookWriter(own.pool);
});
afterEach(() => own.close());

const waitingBackends = async (): Promise<number> => {
  const sql =
    "SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'lanes' AND wait_event_type = 'Lock'";
  return (await database.pool.query<{ n: number }>(sql)).rows[0]?.n ?? 0;
};

describe('a group that hangs', () => {
  it("doesn't hold up the looks that come after it", async () => {
    const [held, ...others] = await Promise.all([1, 2, 3, 4].map(() => registerVm(database)));
    const holder = await holdRow(testDatabase.url, held!.vmId);
    const hanging = looks.write(lookOf(held!, resultsOf(held!, NOON)));
    await backendThatWaits(database.pool, 'lanes');
    for (const vm of others) expect(await looks.write(lookOf(vm, resultsOf(vm, NOON)))).toBe('stored');
    expect(await waitingBackends()).toBe(1);
    await holder.release();
    expect(await hanging).toBe('stored');
  });

  it('keeps a second look of its VM waiting, and that one alone: two are never written at once', async () => {
    const [held, other] = await Promise.all([1, 2].map(() => registerVm(database)));
    const holder = await holdRow(testDatabase.url, held!.vmId);
    const first = looks.write(lookOf(held!, resultsOf(held!, NOON)));
    await backendThatWaits(database.pool, 'lanes');
    const second = looks.write(lookOf(held!, resultsOf(held!, NOON + MINUTE)));
    expect(await looks.write(lookOf(other!, resultsOf(other!, NOON)))).toBe('stored');
    expect(await waitingBackends()).toBe(1);
    await holder.release();
    expect(await Promise.all([first, second])).toEqual(['stored', 'overtaken']);
    expect(await count(database.pool, 'check_results', held!.vmId)).toBe(1);
  });

  it('is one of a few: the looks after those wait for one of them', async () => {
    const vms = await Promise.all([1, 2, 3, 4, 5, 6].map(() => registerVm(database)));
    const holders = await Promise.all(vms.map(({ vmId }) => holdRow(testDatabase.url, vmId)));
    const written: Promise<string>[] = [];
    for (const [i, vm] of vms.entries()) {
      written.push(looks.write(lookOf(vm, resultsOf(vm, NOON))));
      await until(async () => (await waitingBackends()) === Math.min(i + 1, MAX_LANES));
    }
    for (const holder of holders) await holder.release();
    expect(new Set(await Promise.all(written))).toEqual(new Set(['stored']));
  });
});

describe('many looks at once', () => {
  it('go one group after the other while that is quick: commits are shared as widely as can be', async () => {
    const vms = await Promise.all(Array.from({ length: 60 }, () => registerVm(database)));
    const [first, ...others] = vms;
    const writing = looks.write(lookOf(first!, resultsOf(first!, NOON)));
    await until(() => own.pool.totalCount > 0, { everyMs: 1 });
    await Promise.all([writing, ...others.map((vm) => looks.write(lookOf(vm, resultsOf(vm, NOON))))]);
    const sql = 'SELECT count(DISTINCT xmin::text)::int AS commits FROM vm_status WHERE vm_id = ANY($1)';
    const { rows } = await database.pool.query(sql, [vms.map(({ vmId }) => vmId)]);
    expect(rows).toEqual([{ commits: 2 }]);
  });
});
