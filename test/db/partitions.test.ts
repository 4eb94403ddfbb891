import fc from 'fast-check';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import {
  dropPartitionsBefore,
  ensurePartition,
  ensurePartitions,
  type PartitionedTable,
} from '../../db/upkeep/partitions.ts';
import { openTestDatabase } from '../support/postgres.ts';
import { DAY } from './watched.ts';

const MIDNIGHT = Date.parse('2026-11-22T00:00:00Z');

const { database, close } = await openTestDatabase();
afterAll(close);
afterEach(async () => {
  for (const table of ['check_results', 'vm_metrics'] as const) {
    for (const name of await partitions(table)) await database.pool.query(`DROP TABLE "${name}"`);
  }
});

async function partitions(table: PartitionedTable): Promise<string[]> {
  const sql = 'SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = $1::regclass ORDER BY 1';
  return (await database.pool.query<{ name: string }>(sql, [table])).rows.map((row) => row.name);
}

/** Where a metric of that instant lies. */
async function homeOf(atMs: number): Promise<string | undefined> {
  const sql = `INSERT INTO vm_metrics (vm_id, at, backfilled) VALUES (gen_random_uuid(), to_timestamp($1 / 1000.0), false)
               RETURNING tableoid::regclass::text AS name`;
  return (await database.pool.query<{ name: string }>(sql, [atMs])).rows[0]?.name;
}

const day = (n: number) => `202611${20 + n}`;

describe('daily partitions', () => {
  it('are made from yesterday to the days ahead, for every partitioned table', async () => {
    await ensurePartitions(database.pool, MIDNIGHT + 5, 2);
    for (const table of ['check_results', 'vm_metrics'] as const) {
      expect(await partitions(table)).toEqual([1, 2, 3, 4].map((n) => `${table}_${day(n)}`));
    }
  });

  it('hold their UTC day from its first to its last millisecond', async () => {
    await ensurePartitions(database.pool, MIDNIGHT, 1);
    expect(await homeOf(MIDNIGHT - 1)).toBe(`vm_metrics_${day(1)}`);
    expect(await homeOf(MIDNIGHT)).toBe(`vm_metrics_${day(2)}`);
    expect(await homeOf(MIDNIGHT + DAY - 1)).toBe(`vm_metrics_${day(2)}`);
    expect(await homeOf(MIDNIGHT + DAY)).toBe(`vm_metrics_${day(3)}`);
  });

  it('are made once however often, and keep what they hold', async () => {
    await ensurePartitions(database.pool, MIDNIGHT, 0);
    await homeOf(MIDNIGHT);
    await ensurePartitions(database.pool, MIDNIGHT + 1, 0);
    expect(await partitions('vm_metrics')).toHaveLength(2);
    expect((await database.pool.query('SELECT 1 FROM vm_metrics')).rowCount).toBe(1);
  });

  it('can be made by many at the same time', async () => {
    const holder = await database.pool.connect();
    await holder.query('BEGIN; LOCK TABLE check_results');
    const made = Promise.all([1, 2, 3, 4].map((n) => ensurePartition(database.pool, 'check_results', MIDNIGHT + n)));
    // all four have seen that it isn't there yet
    const waiting =
      "SELECT count(*)::int AS n FROM pg_locks WHERE NOT granted AND relation = 'check_results'::regclass";
    while ((await holder.query<{ n: number }>(waiting)).rows[0]?.n !== 4);
    await holder.query('COMMIT');
    holder.release();
    await made;
    expect(await partitions('check_results')).toEqual([`check_results_${day(2)}`]);
  });
});

describe('dropping old partitions', () => {
  it('drops exactly the days that are wholly past, of that table alone', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: -2 * DAY, max: 4 * DAY }), async (offsetMs) => {
        await ensurePartitions(database.pool, MIDNIGHT, 2);
        const beforeMs = MIDNIGHT + offsetMs;
        const endsAt = (n: number) => MIDNIGHT + (n - 1) * DAY;
        const past = [1, 2, 3, 4].filter((n) => endsAt(n) <= beforeMs);
        const dropped = await dropPartitionsBefore(database.pool, 'vm_metrics', beforeMs);
        expect(dropped).toEqual(past.map((n) => `vm_metrics_${day(n)}`));
        expect(await partitions('vm_metrics')).toEqual(
          [1, 2, 3, 4].filter((n) => !past.includes(n)).map((n) => `vm_metrics_${day(n)}`),
        );
        expect(await partitions('check_results')).toHaveLength(4);
      }),
      { numRuns: 12, examples: [[0], [-1], [1], [DAY], [DAY - 1]] },
    );
  });

  it('by several at the same time is no error', async () => {
    await ensurePartitions(database.pool, MIDNIGHT, 7);
    const later = MIDNIGHT + 30 * DAY;
    await Promise.all([1, 2, 3, 4, 5, 6].map(() => dropPartitionsBefore(database.pool, 'check_results', later)));
    expect(await partitions('check_results')).toEqual([]);
  });
});
