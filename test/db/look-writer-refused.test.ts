import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Database, openDatabase } from '../../db/database.ts';
import { type DatabaseTrouble, databaseTrouble } from '../../db/database-trouble.ts';
import { LIMITS, type Limits } from '../../db/limits.ts';
import { createLookWriter, type LookWriter, MAX_LANES } from '../../db/looks/look-writer.ts';
import { migrate } from '../../db/migrate.ts';
import { ensurePartitions } from '../../db/upkeep/partitions.ts';
import type { WatchedVm } from '../../domain/watched.ts';
import { until } from '../../local/until.ts';
import { type OwnPostgres, startOwnPostgres } from '../support/own-postgres.ts';
import { openTestDatabase } from '../support/postgres.ts';
import { describeNeeding } from '../support/requirements.ts';
import { type SmallDiskPostgres, startOnSmallDisk } from '../support/small-disk/small-disk.ts';
import { type BreakableLink, breakableLink } from './breakable-link.ts';
import { count, DAY, lookOf, NOON, registerVm, resultsOf } from './watched.ts';

/** A writer, the trouble that it reported, and how many statements it sent. */
class Writing {
  readonly database: Database;
  readonly looks: LookWriter;
  readonly heard: (DatabaseTrouble | null)[] = [];
  statements = 0;

  constructor(url: string, limits: Limits = LIMITS.writes) {
    this.database = openDatabase(url, { applicationName: 'refused', max: MAX_LANES + 1, limits });
    this.looks = createLookWriter(this.database.pool, (trouble) => this.heard.push(trouble));
    this.database.pool.on('connect', (client) => {
      const query = client.query.bind(client) as (...args: unknown[]) => unknown;
      Object.assign(client, {
        query: (...args: unknown[]) => {
          this.statements++;
          return query(...args);
        },
      });
    });
  }

  write(vms: readonly WatchedVm[], dueAtMs = NOON): Promise<string[]> {
    const reasonOf = (error: unknown) => databaseTrouble(error)?.reason ?? String(error);
    return Promise.all(vms.map((vm) => this.looks.write(lookOf(vm, resultsOf(vm, dueAtMs))).catch(reasonOf)));
  }
}

const registerMany = (database: Database, n: number) =>
  Promise.all(Array.from({ length: n }, () => registerVm(database)));
const all = (what: string, vms: readonly WatchedVm[]) => vms.map(() => what);

/** Expects every look to say why it isn't stored, none to be tried alone, and all to be stored once afterwards. */
async function expectsToRideOut(writing: Writing, reason: string, fault: { begins(): unknown; ends(): unknown }) {
  const vms = await registerMany(writing.database, 8);
  await fault.begins();
  const before = writing.statements;
  expect(await writing.write(vms)).toEqual(all(reason, vms));
  expect(writing.statements - before).toBe(1);
  expect(writing.heard.at(-1)?.reason).toBe(reason);
  await fault.ends();
  expect(await writing.write(vms)).toEqual(all('stored', vms));
  for (const { vmId } of vms) expect(await count(writing.database.pool, 'check_results', vmId)).toBe(1);
  expect(writing.heard.at(-1)).toBeNull();
}

describeNeeding(['small-disk'], 'a Postgres whose disk is full', () => {
  let server: SmallDiskPostgres;
  let writing: Writing;
  beforeAll(async () => {
    server = await startOnSmallDisk();
    await migrate(server.url);
    writing = new Writing(server.url);
    await ensurePartitions(writing.database.pool, NOON);
  });
  afterAll(async () => {
    await writing?.database.close();
    await server?.stop();
  });
  afterEach(() => server.free());

  it('refuses looks for that reason, and takes them when there is space again', async () => {
    await expectsToRideOut(writing, 'disk-full', { begins: () => server.fill(), ends: () => server.free() });
  });

  it('refuses looks for a day that has no partition for that reason too, instead of blaming them', async () => {
    const vms = await registerMany(writing.database, 4);
    server.fill();
    expect(await writing.write(vms, NOON - 40 * DAY)).toEqual(all('disk-full', vms));
    server.free();
    expect(await writing.write(vms, NOON - 40 * DAY)).toEqual(all('stored', vms));
  });

  it('tells a probe so, which needs no table, and tells it when there is space again', async () => {
    expect(await writing.database.state.probe()).toBeNull();
    server.fill();
    expect((await writing.database.state.probe())?.reason).toBe('disk-full');
    server.free();
    await until(() => writing.database.state.trouble === null);
  });
});

describe('a Postgres that came back as a standby', () => {
  let server: OwnPostgres;
  let link: BreakableLink;
  let writing: Writing;
  beforeAll(async () => {
    server = await startOwnPostgres();
    link = await breakableLink(server.url);
    writing = new Writing(link.url);
    await ensurePartitions(writing.database.pool, NOON);
  });
  afterAll(async () => {
    await writing.database.close();
    await link.close();
    await server.stop();
  });

  it('refuses looks as read-only, and takes them when it is the primary again', async () => {
    await expectsToRideOut(writing, 'read-only', {
      begins: () => server.demote(),
      ends: () => server.promote(),
    });
  });

  it('tells a probe so', async () => {
    await server.demote();
    expect((await writing.database.state.probe())?.reason).toBe('read-only');
    await server.promote();
    await until(() => writing.database.state.trouble === null);
  });
});

describe('a Postgres that is frozen', () => {
  let server: OwnPostgres;
  let writing: Writing;
  beforeAll(async () => {
    server = await startOwnPostgres();
    writing = new Writing(server.url, { ...LIMITS.writes, answerMs: 1_000 });
    await ensurePartitions(writing.database.pool, NOON);
  });
  afterAll(async () => {
    server.thaw();
    await writing.database.close();
    await server.stop();
  });

  it('leaves looks without an answer, and they are stored once when it goes on: by it, or by the next try', async () => {
    const vms = await registerMany(writing.database, 8);
    await writing.write(await registerMany(writing.database, 1));
    server.freeze();
    expect(await writing.write(vms)).toEqual(all('not-answering', vms));
    for (let i = 0; i < 5; i++) expect(await writing.write(vms)).toEqual(all('not-answering', vms));
    server.thaw();
    await until(() => writing.database.state.trouble === null);
    for (const written of await writing.write(vms)) expect(['stored', 'overtaken']).toContain(written);
    for (const { vmId } of vms) expect(await count(writing.database.pool, 'check_results', vmId)).toBe(1);
  });
});

describe('a Postgres that is too slow for a group', () => {
  const testDatabase = openTestDatabase(NOON);
  let writing: Writing;
  beforeEach(async () => {
    const { url, database } = await testDatabase;
    writing = new Writing(url, { ...LIMITS.writes, statementMs: 500, lockMs: 0 });
    await database.pool.query(`
      CREATE OR REPLACE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.05); RETURN NEW; END $$;
      CREATE TRIGGER dawdle BEFORE INSERT ON check_results FOR EACH ROW EXECUTE FUNCTION dawdle()`);
  });
  afterEach(async () => {
    await (await testDatabase).database.pool.query('DROP TRIGGER dawdle ON check_results');
    await writing.database.close();
  });
  afterAll(async () => (await testDatabase).close());

  it('blames none of its looks, and is given smaller groups until it can do them', async () => {
    const vms = await registerMany((await testDatabase).database, 40);
    expect(await writing.write(vms)).toEqual(all('statement-timeout', vms));
    let left = vms;
    await until(async () => {
      const written = await writing.write(left);
      for (const one of written) expect(['stored', 'overtaken', 'statement-timeout']).toContain(one);
      left = left.filter((_, i) => written[i] === 'statement-timeout');
      return left.length === 0;
    });
    for (const { vmId } of vms) expect(await count(writing.database.pool, 'check_results', vmId)).toBe(1);
  });
});

describe('a Postgres that refuses the statement itself', () => {
  it('is at fault, not the looks: they are stored when it accepts them', async () => {
    const { url, database, close } = await openTestDatabase(NOON);
    const writing = new Writing(url);
    await expectsToRideOut(writing, 'refused', {
      begins: () => database.pool.query('ALTER TABLE check_state RENAME COLUMN reason TO why'),
      ends: () => database.pool.query('ALTER TABLE check_state RENAME COLUMN why TO reason'),
    });
    await writing.database.close();
    await close();
  });
});
