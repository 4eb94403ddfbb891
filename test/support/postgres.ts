import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { inject } from 'vitest';
import { type Database, openDatabase } from '../../db/database.ts';
import { ensurePartitions } from '../../db/upkeep/partitions.ts';
import './provided.ts';

export interface TestDatabase {
  readonly url: string;
  /** Removes it, whoever is still connected. */
  readonly drop: () => Promise<void>;
}

export interface OpenTestDatabase {
  readonly url: string;
  readonly database: Database;
  /** Closes and removes it. */
  readonly close: () => Promise<void>;
}

/** A fresh database with all migrations applied, or a copy of another template. */
export async function createTestDatabase(template = inject('postgres').template): Promise<TestDatabase> {
  const { adminUrl } = inject('postgres');
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await query(adminUrl, `CREATE DATABASE ${name} TEMPLATE ${template}`);
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    drop: async () => void (await query(adminUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)),
  };
}

/** A fresh database, opened, with the partitions that results at `nowMs` need. */
export async function openTestDatabase(nowMs: number | null = null): Promise<OpenTestDatabase> {
  const { url, drop } = await createTestDatabase();
  const database = openDatabase(url, { applicationName: 'test' });
  if (nowMs !== null) await ensurePartitions(database.pool, nowMs);
  const close = async () => {
    await database.close();
    await drop();
  };
  return { url, database, close };
}

/** One statement on a connection of its own. */
export async function query<Row extends object>(url: string, text: string, values: unknown[] = []): Promise<Row[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(text, values)).rows;
  } finally {
    await client.end();
  }
}
