import { askPostgresVersion } from '../db/postgres-version.ts';
import { connectionReason } from './connection-reason.ts';
import { StartError } from './start-error.ts';

/** What migrations and queries are written for. */
const MIN_POSTGRES = 14;

/**
 * Asks the Postgres that DATABASE_URL names whether it can be used.
 * @throws StartError in one line, without the URL: it holds a password.
 */
export async function requirePostgres(url: string): Promise<void> {
  const asked = askPostgresVersion(url);
  const named = `The Postgres that DATABASE_URL names (${asked.address})`;
  const version = await asked.version.catch((cause: unknown) => {
    throw new StartError(`${named} can't be used: ${connectionReason(cause)}.`, { cause });
  });
  if (version < MIN_POSTGRES) throw new StartError(`${named} is ${version}: ${MIN_POSTGRES} is needed.`);
}
