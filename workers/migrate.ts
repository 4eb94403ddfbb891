import { migrate } from '../db/migrate.ts';
import { databaseUrlFrom } from './connections.ts';
import { readSettings } from './read-settings.ts';
import { requirePostgres } from './require-postgres.ts';
import { runProcess } from './run-process.ts';
import { StartError } from './start-error.ts';

// `npm run db:migrate`: brings the database to this version, and ends.
await runProcess(async () => {
  const databaseUrl = databaseUrlFrom(readSettings());
  if (databaseUrl === undefined) throw new StartError('Set DATABASE_URL to the database to migrate.');
  await requirePostgres(databaseUrl);
  await migrate(databaseUrl);
  process.stdout.write('The database is up to date.\n');
});
