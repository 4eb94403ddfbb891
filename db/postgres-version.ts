import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { postgresTarget } from './postgres-url.ts';

/** A Postgres that is asked which version it is. */
export interface AskedPostgres {
  /** host:port, or the folder of its socket and the port. */
  readonly address: string;
  /** The major version; rejects with the driver's error when it can't be asked. */
  readonly version: Promise<number>;
}

const ANSWERS_WITHIN_MS = 5_000;
const GOODBYE_MS = 1_000;

/** Connects once. @throws Error when the URL itself can't be used. */
export function askPostgresVersion(databaseUrl: string): AskedPostgres {
  const client = new Client({ ...postgresTarget(databaseUrl), connectionTimeoutMillis: ANSWERS_WITHIN_MS });
  client.on('error', () => undefined);
  return { address: `${client.host}:${client.port}`, version: ask(client) };
}

async function ask(client: Client): Promise<number> {
  try {
    await client.connect();
    const { rows } = await client.query<{ version: string }>(`SELECT current_setting('server_version_num') AS version`);
    return Math.floor(Number(rows[0]?.version) / 10_000);
  } finally {
    // after some refusals by TLS, the driver waits for an end that has passed
    await Promise.race([client.end(), sleep(GOODBYE_MS, undefined, { ref: false })]).catch(() => undefined);
  }
}
