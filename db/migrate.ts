import { fileURLToPath } from 'node:url';
import { drizzle } from 'drizzle-orm/node-postgres';
import { migrate as applyMigrations } from 'drizzle-orm/node-postgres/migrator';
import { Client } from 'pg';
import { postgresTarget } from './postgres-url.ts';

/** Any constant does, as long as every Defib process uses the same one. */
const MIGRATION_LOCK = 0x6465666962;

/**
 * Brings the database to this version, forward only. Safe to call from several processes at once: they wait for each
 * other under an advisory lock. Throws what Postgres said when a migration fails; that migration is rolled back.
 */
export async function migrate(databaseUrl: string, folder = migrationsFolder()): Promise<void> {
  // no limit for its statements: a migration may take as long as it needs
  const client = new Client({ ...postgresTarget(databaseUrl), connectionTimeoutMillis: 10_000 });
  await client.connect();
  try {
    await client.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await client.query("SET client_min_messages = 'warning'");
    await applyMigrations(drizzle(client), { migrationsFolder: folder });
  } finally {
    await client.end();
  }
}

/** Beside this file in the sources; the build copies it beside the compiled one. */
function migrationsFolder(): string {
  return fileURLToPath(new URL('./migrations', import.meta.url));
}
