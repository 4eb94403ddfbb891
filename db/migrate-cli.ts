import { migrate } from './migrate.ts';

const databaseUrl = process.env['DATABASE_URL'];
if (!databaseUrl) {
  process.stderr.write('db:migrate: set DATABASE_URL to the database to migrate\n');
  process.exit(1);
}
await migrate(databaseUrl);
process.stdout.write('database is up to date\n');
