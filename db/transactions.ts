import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres';
import type { Pool } from 'pg';
import { isContended } from './database-trouble.ts';
import { outlives } from './limited-pool.ts';

/**
 * The order in which a transaction takes its locks, where it takes more than one: by updates, deletes, upserts and `FOR UPDATE`
 * alike. Two that keep to it never wait for each other; test/db/lock-order.test.ts holds ours against it. Several rows of one
 * table are locked in the order of their ids. What stands in no list (results, transitions, notices, the audit log) is only
 * ever added to, or locked alone.
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

/** What transactions came to, for metrics. */
export interface TransactionCounts {
  /** Those that Postgres undid for somebody else's sake and that were tried again. */
  retried: number;
}

const MAX_TRIES = 5;
/** Doubled with each try; a random share of it is waited, so that two do not meet again. */
const MAX_WAIT_MS = 20;

/**
 * Does something again that Postgres undid for somebody else's sake: a deadlock (40P01), a serialization failure (40001).
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
 * Drizzle's `transaction` on this pool, tried again when contended: so its work does nothing but ask and change the database.
 * Drizzle's own keeps a connection for good whose BEGIN fails, hands one on whose ROLLBACK failed, and then tells of the
 * rollback instead of what went wrong.
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
