import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { migrate } from '../../db/migrate.ts';
import { createTestDatabase, query, type TestDatabase } from '../support/postgres.ts';

const journal = JSON.parse(
  readFileSync(new URL('../../db/migrations/meta/_journal.json', import.meta.url), 'utf8'),
) as {
  entries: object[];
};

let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase('template0');
});
afterEach(() => database.drop());

async function applied(): Promise<number | undefined> {
  const sql = 'SELECT count(*)::int AS n FROM drizzle.__drizzle_migrations';
  return (await query<{ n: number }>(database.url, sql))[0]?.n;
}

describe('migrating', () => {
  it('brings an empty database up to date', async () => {
    await migrate(database.url);
    expect(await applied()).toBe(journal.entries.length);
    expect(await query(database.url, 'SELECT id FROM tenants')).toEqual([{ id: 'default' }]);
  });

  it('a second time changes nothing and keeps what is there', async () => {
    await migrate(database.url);
    await query(database.url, "INSERT INTO tenants (id, name, created_at) VALUES ('acme', 'Acme', now())");
    await migrate(database.url);
    expect(await applied()).toBe(journal.entries.length);
    expect(await query(database.url, 'SELECT id FROM tenants ORDER BY id')).toEqual([
      { id: 'acme' },
      { id: 'default' },
    ]);
  });

  it('by several processes at once applies each migration once', async () => {
    await Promise.all([1, 2, 3, 4].map(() => migrate(database.url)));
    expect(await applied()).toBe(journal.entries.length);
  });

  it('leaves no lock behind', async () => {
    await migrate(database.url);
    const held =
      "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    expect(await query(database.url, held)).toEqual([]);
  });

  it('says what Postgres said when it cannot', async () => {
    await query(database.url, 'CREATE TABLE tenants (mine text)');
    await expect(migrate(database.url)).rejects.toThrow();
    expect(await query(database.url, "SELECT to_regclass('public.vms') AS vms")).toEqual([{ vms: null }]);
  });
});
