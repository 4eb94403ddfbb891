import { sql } from 'drizzle-orm';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { databaseTrouble } from '../../db/database-trouble.ts';
import { LimitedPool, type PoolObserver } from '../../db/limited-pool.ts';
import { LIMITS, type Limits } from '../../db/limits.ts';
import { transactionsOn } from '../../db/transactions.ts';
import { until } from '../../local/until.ts';
import { openTestDatabase } from '../support/postgres.ts';
import { type BreakableLink, breakableLink } from './breakable-link.ts';
import { holdRow } from './held-row.ts';
import { registerVm } from './watched.ts';

/** Longer than a loaded machine takes to answer, shorter than a test. */
const HASTY: Limits = { connectMs: 2_000, lockMs: 0, statementMs: 0, answerMs: 1_000, idleMs: 2_000 };

/** Refuses nothing, whatever happens. */
const NOBODY: PoolObserver = { generation: 0, refusing: null, failed: () => undefined };

const testDatabase = await openTestDatabase();
afterAll(testDatabase.close);

const openPool = (url: string, more: Partial<Limits> = {}, max = 2) =>
  new LimitedPool(url, { applicationName: 'hasty', max, limits: { ...HASTY, ...more } }, NOBODY);

let link: BreakableLink;
let pool: LimitedPool;
let transaction: ReturnType<typeof transactionsOn>;
beforeEach(async () => {
  link = await breakableLink(testDatabase.url);
  pool = openPool(link.url);
  transaction = transactionsOn(pool, { retried: 0 });
});
afterEach(async () => {
  link.mend();
  await pool.end();
  await link.close();
});

const reasonOf = (work: Promise<unknown>) =>
  work.then(
    () => 'answered',
    (error: unknown) => databaseTrouble(error)?.reason ?? error,
  );
const one = async () => (await pool.query<{ n: number }>('SELECT 1 AS n')).rows;

describe('a Postgres behind a network that drops packets', () => {
  it('leaves a query without an answer, which rejects; its connection answers nobody else', async () => {
    await one();
    link.silence();
    expect(await reasonOf(pool.query('SELECT 2 AS n'))).toBe('not-answering');
    link.mend();
    for (let i = 0; i < 6; i++) expect(await one()).toEqual([{ n: 1 }]);
  });

  it('accepts no connection, and says so', async () => {
    link.silence();
    expect(await reasonOf(one())).toBe('not-answering');
  });

  it('breaks a transaction in the middle: its connection is destroyed, and the error is not that of a rollback', async () => {
    const work = transaction(async (tx) => {
      await tx.execute(sql`SELECT 1`);
      link.silence();
      await tx.execute(sql`SELECT 2`);
    });
    expect(await reasonOf(work)).toBe('not-answering');
    await until(() => pool.totalCount === 0);
    link.mend();
    expect(await reasonOf(transaction((tx) => tx.execute(sql`SELECT 1`)))).toBe('answered');
  });

  it('takes no connection away for good, however many transactions can not even begin', async () => {
    await Promise.all([one(), one()]);
    link.silence();
    const nothing = () => transaction((tx) => tx.execute(sql`SELECT 1`));
    for (let i = 0; i < 3; i++) expect(await reasonOf(nothing())).toBe('not-answering');
    await until(() => pool.totalCount === 0);
    link.mend();
    expect(await reasonOf(Promise.all([nothing(), nothing()]))).toBe('answered');
  });

  it('may have done what it could not say', async () => {
    const vm = await registerVm(testDatabase.database);
    await one();
    link.silence('answers');
    const work = pool.query('UPDATE vms SET name = $1 WHERE id = $2', ['renamed', vm.vmId]);
    expect(await reasonOf(work)).toBe('not-answering');
    const name = 'SELECT name FROM vms WHERE id = $1';
    await until(async () => (await testDatabase.database.pool.query(name, [vm.vmId])).rows[0].name === 'renamed');
  });

  it('ends the locks of a transaction that it hears no more of', async () => {
    const vm = await registerVm(testDatabase.database);
    const update = sql`UPDATE vms SET name = 'mine' WHERE id = ${vm.vmId}`;
    const work = transaction(async (tx) => {
      await tx.execute(update);
      link.silence();
      await tx.execute(sql`SELECT 1`);
    });
    expect(await reasonOf(work)).toBe('not-answering');
    await testDatabase.database.orm.execute(sql`UPDATE vms SET name = 'yours' WHERE id = ${vm.vmId}`);
  });
});

describe('a query that takes long', () => {
  it('is ended by Postgres first, and its connection goes on', async () => {
    const slow = openPool(testDatabase.url, { statementMs: 100, answerMs: 20_000 }, 1);
    const backend = async () => (await slow.query('SELECT pg_backend_pid() AS pid')).rows[0].pid;
    const before = await backend();
    expect(await reasonOf(slow.query('SELECT pg_sleep(20)'))).toBe('statement-timeout');
    expect(await backend()).toBe(before);
    const vm = await registerVm(testDatabase.database);
    const holder = await holdRow(testDatabase.url, vm.vmId);
    const wait = () =>
      transactionsOn(slow, { retried: 0 })((tx) => tx.execute(sql`SELECT 1 FROM vm_status FOR UPDATE`));
    expect(await reasonOf(wait())).toBe('statement-timeout');
    await holder.release();
    expect(await backend()).toBe(before);
    await slow.end();
  });

  it('is not given up because this process was frozen itself while the answer came', async () => {
    // not through the link, which freezes with this process
    const direct = openPool(testDatabase.url);
    const client = await direct.connect();
    const answer = client.query('SELECT 7 AS n');
    const endMs = performance.now() + 2 * HASTY.answerMs;
    while (performance.now() < endMs);
    expect((await answer).rows).toEqual([{ n: 7 }]);
    client.release();
    await direct.end();
  });
});

describe('a connection', () => {
  const backend = async () => (await pool.query('SELECT pg_backend_pid() AS pid')).rows[0].pid;

  it('is kept after a statement that was wrong', async () => {
    const before = await backend();
    await expect(pool.query('SELECT 1/0')).rejects.toThrow('division by zero');
    await expect(transaction((tx) => tx.execute(sql`SELECT 1/0`))).rejects.toThrow();
    const refusal = new Error('refused by us');
    await expect(transaction(() => Promise.reject(refusal))).rejects.toBe(refusal);
    expect(await backend()).toBe(before);
  });

  it('to a server that has become read-only is given up: the next may lead to another', async () => {
    const before = await backend();
    const write = 'BEGIN READ ONLY; INSERT INTO listening_spans VALUES (now(), now())';
    expect(await reasonOf(pool.query(write))).toBe('read-only');
    expect(await backend()).not.toBe(before);
    const then = await backend();
    const inTransaction = transaction(async (tx) => {
      await tx.execute(sql`SET TRANSACTION READ ONLY`);
      await tx.execute(sql`INSERT INTO listening_spans VALUES (now(), now())`);
    });
    expect(await reasonOf(inTransaction)).toBe('read-only');
    expect(await backend()).not.toBe(then);
  });

  it('all of which are in use is waited for no longer than the limit', async () => {
    const held = await Promise.all([1, 2].map(() => pool.connect()));
    expect(await reasonOf(one())).toBe('connections-busy');
    for (const client of held) client.release();
    expect(await one()).toEqual([{ n: 1 }]);
  });
});

it('has limits by which Postgres answers first, and looks go on within 5 s', () => {
  for (const { statementMs, answerMs, lockMs } of Object.values(LIMITS)) {
    expect(statementMs).toBeLessThan(answerMs);
    expect(lockMs).toBeLessThan(statementMs);
  }
  expect(LIMITS.looks.answerMs + LIMITS.writes.answerMs).toBeLessThanOrEqual(5_000);
  expect(LIMITS.looks.connectMs + LIMITS.looks.answerMs).toBeLessThanOrEqual(5_000);
  expect(LIMITS.writes.connectMs + LIMITS.writes.answerMs).toBeLessThanOrEqual(5_000);
});
