import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Dependencies } from '../../activities/dependencies.ts';
import { decide } from '../../activities/heal/decide.ts';
import { type Database, openDatabase } from '../../db/database.ts';
import { recordIncident } from '../../db/heals/incidents.ts';
import { LIMITS } from '../../db/limits.ts';
import { migrate } from '../../db/migrate.ts';
import { breakableLink } from '../db/breakable-link.ts';
import { NOON, registerVm } from '../db/watched.ts';
import { openTestDatabase, query } from '../support/postgres.ts';
import { describeNeeding } from '../support/requirements.ts';
import { settingsOf } from '../support/settings.ts';
import { type SmallDiskPostgres, startOnSmallDisk } from '../support/small-disk/small-disk.ts';

/** The dependencies of a worker whose provider answers. */
const depsOn = (database: Database): Dependencies =>
  ({
    database,
    providers: {
      kinds: new Map(),
      reach: () => ({
        ok: true,
        provider: { state: async () => ({ ok: true, state: { power: 'running', detail: 'a fake' } }) },
      }),
    },
    probes: new Map(),
    settings: settingsOf(),
    log: pino({ level: 'silent' }),
    now: () => NOON,
  }) as unknown as Dependencies;

async function illVm(database: Database): Promise<{ vmId: string; incident: number }> {
  const { vmId } = await registerVm(database);
  const incident = await recordIncident(database, vmId, NOON);
  if (incident === null) throw new Error('paused');
  return { vmId, incident };
}

const holdsFor = (sentence: string) => ({
  kind: 'hold',
  reason: 'history-unavailable',
  lookAgainInMs: 5_000,
  line: `holds (history-unavailable): ${sentence}, and without its history nothing is done to a VM`,
});

describe('a heal', () => {
  const testDatabase = openTestDatabase();
  afterAll(async () => (await testDatabase).close());

  it('holds while Postgres does not answer, and says so', async () => {
    const { url, database } = await testDatabase;
    const heal = await illVm(database);
    const link = await breakableLink(url);
    const own = openDatabase(link.url, { applicationName: 'heals', limits: { ...LIMITS.heals, answerMs: 1_000 } });
    expect(await decide(depsOn(own), heal)).not.toMatchObject({ reason: 'history-unavailable' });
    link.silence();
    expect(await decide(depsOn(own), heal)).toEqual(holdsFor('the database does not answer'));
    link.cut();
    await own.close();
    await link.close();
  });

  it('holds while Postgres is read-only, and says so', async () => {
    const { url, database } = await testDatabase;
    const heal = await illVm(database);
    const name = new URL(url).pathname.slice(1);
    await query(url, `ALTER DATABASE ${name} SET default_transaction_read_only = on`);
    const own = openDatabase(url, { applicationName: 'heals', limits: LIMITS.heals });
    expect(await decide(depsOn(own), heal)).toEqual(holdsFor('the database is read-only'));
  });
});

describeNeeding(['small-disk'], 'a heal on a Postgres whose disk is full', () => {
  let server: SmallDiskPostgres;
  let database: Database;
  beforeAll(async () => {
    server = await startOnSmallDisk();
    await migrate(server.url);
  });
  beforeEach(() => {
    database = openDatabase(server.url, { applicationName: 'heals', limits: LIMITS.heals });
  });
  afterEach(() => database.close());
  afterAll(() => server?.stop());

  it('holds, and says so', async () => {
    const heal = await illVm(database);
    server.fill();
    expect(await decide(depsOn(database), heal)).toEqual(holdsFor('the disk of the database is full'));
    server.free();
    expect(await decide(depsOn(database), heal)).not.toMatchObject({ reason: 'history-unavailable' });
  });
});
