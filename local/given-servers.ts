import { Connection } from '@temporalio/client';
import pg from 'pg';
import { firstLineOf, StartError } from './start-error.ts';

/** What migrations and queries are written for. */
const MIN_POSTGRES = 14;
const ANSWERS_WITHIN_MS = 5_000;

/**
 * Asks the Postgres that DATABASE_URL names whether it can be used.
 * @throws StartError in one line, without the URL: it holds a password.
 */
export async function requirePostgres(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: ANSWERS_WITHIN_MS });
  client.on('error', () => undefined);
  let version: number;
  try {
    await client.connect();
    const { rows } = await client.query<{ version: string }>(`SELECT current_setting('server_version_num') AS version`);
    version = Number(rows[0]?.version) / 10_000;
  } catch (cause) {
    throw new StartError(`The Postgres that DATABASE_URL names can't be used: ${firstLineOf(cause)}.`, { cause });
  } finally {
    await client.end().catch(() => undefined);
  }
  if (version < MIN_POSTGRES) {
    throw new StartError(`The Postgres that DATABASE_URL names is ${Math.floor(version)}: ${MIN_POSTGRES} is needed.`);
  }
}

/** Asks the Temporal that TEMPORAL_ADDRESS names whether it can be used. @throws StartError in one line. */
export async function requireTemporal(address: string, namespace: string): Promise<void> {
  const named = `The Temporal that TEMPORAL_ADDRESS names (${address})`;
  const connection = await Connection.connect({ address, connectTimeout: ANSWERS_WITHIN_MS }).catch((cause) => {
    throw new StartError(`${named} does not answer.`, { cause });
  });
  try {
    await connection.workflowService.describeNamespace({ namespace });
  } catch (cause) {
    const missing = /not found/i.test(String(cause));
    const advice = `has no namespace "${namespace}": temporal operator namespace create -n ${namespace}`;
    throw new StartError(`${named} ${missing ? advice : `can't be used: ${firstLineOf(cause)}.`}`, { cause });
  } finally {
    await connection.close();
  }
}
