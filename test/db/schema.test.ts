import { readdirSync } from 'node:fs';
import { getTableConfig, PgTable } from 'drizzle-orm/pg-core';
import { afterAll, describe, expect, it } from 'vitest';
import { createTestDatabase, query } from '../support/postgres.ts';

const folder = new URL('../../db/schema/', import.meta.url);
const modules: Record<string, unknown>[] = await Promise.all(
  readdirSync(folder).map((name) => import(new URL(name, folder).href)),
);
const tables = modules.flatMap((module) => Object.values(module).filter((value) => value instanceof PgTable));

interface Column {
  name: string;
  type: string;
  required: boolean;
  defaulted: boolean;
}

/** A serial is an integer with a default. */
const TYPES: Record<string, string> = { bigserial: 'bigint', serial: 'integer' };

function declared(table: PgTable): Column[] {
  return getTableConfig(table).columns.map((column) => ({
    name: column.name,
    type: TYPES[column.getSQLType()] ?? column.getSQLType(),
    required: column.notNull,
    defaulted: column.hasDefault,
  }));
}

const ACTUAL = `
SELECT column_name AS name, format_type(a.atttypid, a.atttypmod) AS type, is_nullable = 'NO' AS required,
       column_default IS NOT NULL AS defaulted
FROM information_schema.columns c
JOIN pg_attribute a ON a.attrelid = c.table_name::regclass AND a.attname = c.column_name
WHERE c.table_schema = 'public' AND c.table_name = $1 ORDER BY ordinal_position`;

const KEY = `
SELECT a.attname AS name FROM pg_index i JOIN unnest(i.indkey) WITH ORDINALITY AS k(num, place) ON true
JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.num
WHERE i.indrelid = $1::regclass AND i.indisprimary ORDER BY k.place`;

const database = await createTestDatabase();
afterAll(database.drop);

describe('the schema in TypeScript', () => {
  it.each(tables.map((table) => [getTableConfig(table).name, table] as const))(
    'has %s as it is',
    async (name, table) => {
      expect(await query<Column>(database.url, ACTUAL, [name])).toEqual(declared(table));
    },
  );

  it.each(tables.map((table) => [getTableConfig(table).name, table] as const))(
    'has the key of %s',
    async (name, table) => {
      const { columns, primaryKeys } = getTableConfig(table);
      const key = primaryKeys[0]?.columns ?? columns.filter((column) => column.primary);
      const actual = await query<{ name: string }>(database.url, KEY, [name]);
      expect(actual.map((column) => column.name)).toEqual(key.map((column) => column.name));
      expect(key).not.toEqual([]);
    },
  );

  it('has every table there is', async () => {
    const sql = `SELECT relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
                 AND NOT relispartition ORDER BY 1`;
    const actual = (await query<{ name: string }>(database.url, sql)).map((table) => table.name);
    expect(tables.map((table) => getTableConfig(table).name).toSorted()).toEqual(actual);
  });
});
