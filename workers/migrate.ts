import { migrate } from '../db/migrate.ts';
import { readSettings } from './read-settings.ts';

// `npm run db:migrate`: brings the database to this version, and ends.
const { DATABASE_URL: databaseUrl } = readSettings();
if (databaseUrl === undefined) {
  process.stderr.write('Set DATABASE_URL to the database to migrate.\n');
  process.exit(1);
}
await migrate(databaseUrl);
process.stdout.write('The database is up to date.\n');
