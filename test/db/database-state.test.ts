import { Client } from 'pg';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Database, openDatabase } from '../../db/database.ts';
import { createDatabaseState, type DatabaseState, type Pace } from '../../db/database-state.ts';
import { databaseTrouble, troubleOf } from '../../db/database-trouble.ts';
import { LIMITS, type Limits } from '../../db/limits.ts';
import { until } from '../../local/until.ts';
import { openTestDatabase } from '../support/postgres.ts';
import { type BreakableLink, breakableLink } from './breakable-link.ts';

const HASTY: Limits = { connectMs: 2_000, lockMs: 0, statementMs: 0, answerMs: 1_000, idleMs: 2_000 };
/** Longer than a test lasts. */
const PATIENT: Limits = { ...HASTY, connectMs: 600_000, answerMs: 600_000 };
const PACE: Pace = { probeEveryMs: 50, overAfterMs: 400, useStandsMs: 3_000 };

const testDatabase = await openTestDatabase();
afterAll(testDatabase.close);

let link: BreakableLink;
let told: string[];
let state: DatabaseState;
let open: Database[];
beforeEach(async () => {
  link = await breakableLink(testDatabase.url);
  told = [];
  open = [];
  state = createState(link.url);
});
afterEach(async () => {
  link.mend();
  for (const one of open) await one.close();
  await state.close();
  await link.close();
});

function createState(url: string): DatabaseState {
  const report = {
    began: ({ reason }: { reason: string }) => void told.push(reason),
    over: () => void told.push('over'),
  };
  return createDatabaseState(url, report, PACE);
}

function openOn(limits: Limits, url = link.url): Database {
  const database = openDatabase(url, { applicationName: 'of-a-state', limits, state, max: 2 });
  open.push(database);
  return database;
}

const ask = (database: Database) =>
  database.pool.query('SELECT pg_backend_pid() AS pid').then(({ rows }) => rows[0].pid);
const reasonOf = (work: Promise<unknown>) =>
  work.then(
    () => 'answered',
    (error: unknown) => databaseTrouble(error)?.reason ?? error,
  );

describe('what a process knows of its database', () => {
  it('is nothing wrong, at first and while statements are merely wrong', async () => {
    const database = openOn(HASTY);
    await database.pool.query('SELECT 1/0').catch(() => undefined);
    expect(state.trouble).toBeNull();
    expect(await state.probe()).toBeNull();
    expect(told).toEqual([]);
  });

  it('keeps all its pools from waiting once one of them was not answered, until it answers again', async () => {
    const [hasty, patient] = [openOn(HASTY), openOn(PATIENT)];
    await ask(patient);
    link.silence();
    expect(await reasonOf(ask(hasty))).toBe('not-answering');
    for (let i = 0; i < 20; i++) expect(await reasonOf(ask(patient))).toBe('not-answering');
    expect(state.trouble).toEqual(troubleOf('not-answering'));
    link.mend();
    await until(() => state.trouble === null);
    expect(await reasonOf(ask(patient))).toBe('answered');
  });

  it('reports once when trouble begins and once when it is over, however many queries met it', async () => {
    const [one, other] = [openOn(HASTY), openOn(HASTY)];
    link.cut();
    for (let i = 0; i < 5; i++) await Promise.all([reasonOf(ask(one)), reasonOf(ask(other))]);
    link.mend();
    await until(() => told.includes('over'));
    expect(told).toEqual(['unreachable', 'over']);
  });

  it('reports trouble that comes back at once again only for another reason', async () => {
    link.cut();
    await reasonOf(ask(openOn(HASTY)));
    link.mend();
    await until(() => state.trouble === null);
    link.cut();
    await reasonOf(ask(openOn(HASTY)));
    link.silence();
    await until(() => told.length > 1);
    link.mend();
    await until(() => told.includes('over'));
    expect(told).toEqual(['unreachable', 'not-answering', 'over']);
  });

  it('uses no connection made before or during a fault', async () => {
    const database = openOn(HASTY);
    const before = await ask(database);
    link.cut();
    await state.probe();
    link.mend();
    await until(() => state.trouble === null);
    expect(await ask(database)).not.toBe(before);
  });

  it('includes the trouble of each kind of use, until that works again', async () => {
    state.note('looks', troubleOf('statement-timeout'));
    state.note('marks', troubleOf('lock-timeout'));
    expect(state.trouble?.reason).toBe('statement-timeout');
    expect(await reasonOf(ask(openOn(HASTY)))).toBe('answered');
    expect(await state.probe()).toBeNull();
    state.note('looks', null);
    expect(state.trouble?.reason).toBe('lock-timeout');
    state.note('marks', null);
    expect(state.trouble).toBeNull();
    await until(() => told.includes('over'));
    expect(told).toEqual(['statement-timeout', 'lock-timeout', 'over']);
  });

  it('forgets the trouble of a kind of use that does not come again', async () => {
    state.note('looks', troubleOf('statement-timeout'));
    expect(state.trouble).not.toBeNull();
    await until(() => state.trouble === null);
  });

  it('does not include a statement that took too long, because others may be quick', async () => {
    const database = openOn({ ...HASTY, statementMs: 100 });
    expect(await reasonOf(database.pool.query('SELECT pg_sleep(20)'))).toBe('statement-timeout');
    expect(state.trouble).toBeNull();
  });

  it('asks once for all who want to know at the same time', async () => {
    const [first, second] = [state.probe(), state.probe()];
    expect(first).toBe(second);
    await first;
  });
});

describe('a server that takes no more connections', () => {
  const ROLE = 'one_at_a_time';
  let admin: Client;
  beforeEach(async () => {
    admin = new Client({ connectionString: testDatabase.url });
    await admin.connect();
    await admin.query(`CREATE ROLE ${ROLE} LOGIN PASSWORD 'x' CONNECTION LIMIT 1`);
  });
  afterEach(async () => {
    for (const one of open.splice(0)) await one.close();
    await state.close();
    await until(async () => {
      const { rows } = await admin.query('SELECT count(*)::int AS n FROM pg_stat_activity WHERE usename = $1', [ROLE]);
      return rows[0].n === 0;
    });
    await admin.query(`DROP ROLE ${ROLE}`);
    await admin.end();
    state = createState(link.url);
  });

  it('is reported as that, and open connections go on', async () => {
    const url = new URL(testDatabase.url);
    url.username = ROLE;
    url.password = 'x';
    await state.close();
    state = createState(url.href);
    const database = openOn(LIMITS.requests, url.href);
    const held = await database.pool.connect();
    expect(await reasonOf(ask(database))).toBe('too-many-connections');
    expect(state.trouble?.reason).toBe('too-many-connections');
    const { rows } = await held.query('SELECT pg_backend_pid() AS pid');
    held.release();
    expect(await ask(database)).toBe(rows[0].pid);
    await admin.query(`ALTER ROLE ${ROLE} CONNECTION LIMIT 5`);
    await until(() => told.includes('over'));
    expect(told).toEqual(['too-many-connections', 'over']);
    expect(await ask(database)).toBe(rows[0].pid);
  });
});
