import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres';
import pg from 'pg';

/** The one handle on Postgres a process has: drizzle for ordinary queries, the pool for hand-written SQL. */
export interface Database {
  orm: NodePgDatabase;
  pool: pg.Pool;
  close(): Promise<void>;
}

/** A transaction: what has to be read and written together asks for one. */
export type Transaction = Parameters<Parameters<NodePgDatabase['transaction']>[0]>[0];

/** Anything a query can run on: the database, or a transaction of it. */
export type Queryable = Pick<NodePgDatabase, 'select' | 'insert' | 'update' | 'delete' | 'execute'>;

/**
 * Opens a pool. Lost connections are the pool's business: they show as errors of the queries that needed them, never as
 * a crash of the process.
 */
export function openDatabase(
  databaseUrl: string,
  options: { applicationName: string; max?: number; statementTimeoutMs?: number },
): Database {
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    max: options.max ?? 10,
    application_name: options.applicationName,
    connectionTimeoutMillis: 3_000,
    statement_timeout: options.statementTimeoutMs ?? 30_000,
    keepAlive: true,
  });
  pool.on('error', () => undefined);
  // a connection cut while it is checked out says so to its query; as an event it would end the process
  pool.on('connect', (client) => client.on('error', () => undefined));
  return { orm: drizzle(pool), pool, close: () => pool.end() };
}

const AWAY_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ETIMEDOUT',
  'EPIPE',
  'ENOENT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ECONNABORTED',
  '57P01',
  '57P02',
  '57P03',
  '08000',
  '08003',
  '08006',
  '53300',
]);

/** Whether an error says that Postgres can't be connections, as opposed to disliking a statement. */
export function isDatabaseAway(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const code = 'code' in cause ? String(cause.code) : '';
    if (AWAY_CODES.has(code)) return true;
    if (/Connection terminated|timeout exceeded when trying to connect|Client has encountered/.test(cause.message))
      return true;
    if (cause instanceof AggregateError && cause.errors.some(isDatabaseAway)) return true;
  }
  return false;
}
