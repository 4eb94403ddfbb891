import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres';
import type { Pool } from 'pg';
import { createDatabaseState, type DatabaseState } from './database-state.ts';
import { LimitedPool } from './limited-pool.ts';
import { LIMITS, type Limits } from './limits.ts';
import { type TransactionCounts, transactionsOn } from './transactions.ts';

/** A handle on Postgres: drizzle for ordinary queries, the pool for hand-written SQL. */
export interface Database {
  orm: NodePgDatabase;
  pool: Pool;
  /** What this process knows of the server; pools of one process share it. */
  state: DatabaseState;
  counts: Readonly<TransactionCounts>;
  close(): Promise<void>;
}

/** A transaction. A function that takes one has to run together with other reads and writes. */
export type Transaction = Parameters<Parameters<NodePgDatabase['transaction']>[0]>[0];

/** Anything a query can run on: the database, or a transaction of it. */
export type Queryable = Pick<NodePgDatabase, 'select' | 'insert' | 'update' | 'delete' | 'execute'>;

export interface DatabaseOptions {
  applicationName: string;
  max?: number;
  limits?: Limits;
  /** The state that the process keeps; without it the handle keeps its own. */
  state?: DatabaseState;
}

/**
 * Opens a pool. Every query on it is answered within its limits, or rejects: with Postgres's trouble (`databaseTrouble`) or
 * with Postgres's refusal of the statement. Transactions (`orm.transaction`) are tried again when contended; see
 * db/transactions.ts for the order of their locks.
 */
export function openDatabase(databaseUrl: string, options: DatabaseOptions): Database {
  const { applicationName, max = 10, limits = LIMITS.requests, state = createDatabaseState(databaseUrl) } = options;
  const pool = new LimitedPool(databaseUrl, { applicationName, max, limits }, state);
  const counts: TransactionCounts = { retried: 0 };
  const orm = drizzle(pool);
  orm.transaction = transactionsOn(pool, counts);
  return {
    orm,
    pool,
    state,
    counts,
    async close() {
      await pool.end();
      if (options.state === undefined) await state.close();
    },
  };
}
