import { sql } from 'drizzle-orm';
import type { ClockReading } from '../domain/clock-offset.ts';
import type { Queryable } from './database.ts';

/** The database's clock, epoch ms: what several processes agree on. Tests in virtual time shift it. */
export async function databaseNow(db: Queryable): Promise<number> {
  const { rows } = await db.execute<{ ms: number }>(sql`SELECT (extract(epoch FROM defib_now()) * 1000)::float8 AS ms`);
  const ms = rows[0]?.ms;
  if (ms === undefined) throw new Error('the database did not say what time it is');
  return Math.round(ms);
}

/** Reads the database's clock, and this machine's before and after. */
export async function readClock(db: Queryable): Promise<ClockReading> {
  const askedAtMs = Date.now();
  const otherMs = await databaseNow(db);
  return { otherMs, askedAtMs, answeredAtMs: Date.now() };
}
