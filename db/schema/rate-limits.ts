import { bigint, integer, pgTable, text } from 'drizzle-orm/pg-core';

/** Counts of requests a minute, in the columns that the library of api/rate-limits.ts needs. Unlogged: lost in a crash, and cheap. */
export const rateLimits = pgTable('rate_limits', {
  key: text('key').primaryKey(),
  points: integer('points').notNull().default(0),
  /** Epoch ms. */
  expire: bigint('expire', { mode: 'number' }),
});
