import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres';
import type { Pool } from 'pg';
import { isContended } from './database-trouble.ts';
import { outlives } from './limited-pool.ts';

/**
 * The order in which a transaction takes its locks, where it takes more than one: by updates, deletes, upserts and `FOR UPDATE`
 * alike. Transactions that keep to it never deadlock; test/db/lock-order.test.ts checks ours. Several rows of one table are
 * locked in the order of their ids. Tables that are not listed (results, transitions, notices, the audit log) are only added
 * to, or locked alone.
 */
export const LOCK_ORDER = [
  'provider_instances',
  'vms',
  'policies',
  'tenants',
  'incidents',
  'operations',
  'heal_steps',
  'vm_status',
  'check_state',
  'check_configs',
  'api_tokens',
] as const;

/** Counts of transactions, for metrics. */
export interface TransactionCounts {
  /** Those that Postgres rolled back because of a concurrent one, and that were tried again. */
  retried: number;
}

const MAX_TRIES = 5;
/** Doubled with each try. The wait is a random part of it, so that two transactions do not collide again. */
const MAX_WAIT_MS = 20;

/**
 * Does something again that Postgres rolled back because of a concurrent transaction: a deadlock (40P01), a serialization
 * failure (40001).
 * @throws what it throws, also the last of these.
 */
export async function retryContended<T>(work: () => Promise<T>, counts?: TransactionCounts): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await work();
    } catch (error) {
      if (tries === MAX_TRIES || !isContended(error)) throw error;
      if (counts) counts.retried++;
      await sleep(randomInt(MAX_WAIT_MS * 2 ** tries));
    }
  }
}

/**
 * Drizzle's `transaction` on this pool, tried again when contended; so the work may do nothing but read and change the
 * database. Drizzle's own never returns a connection whose BEGIN fails, reuses one whose ROLLBACK failed, and then throws the
 * rollback's error instead of the one that caused it.
 */
export function transactionsOn(pool: Pool, counts: TransactionCounts): NodePgDatabase['transaction'] {
  return (work, config) => retryContended(() => once(pool, work, config), counts);
}

async function once<T>(pool: Pool, ...[work, config]: Parameters<NodePgDatabase['transaction']>): Promise<T> {
  const client = await pool.connect();
  let failure: unknown = null;
  try {
    const result = await drizzle(client).transaction(async (tx) => {
      try {
        return await work(tx);
      } catch (error) {
        failure = error;
        throw error;
      }
    }, config);
    client.release();
    return result as T;
  } catch (error) {
    client.release(client.getTransactionStatus() !== 'I' || !outlives(failure ?? error));
    throw failure ?? error;
  }
}
