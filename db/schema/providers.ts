import { integer, jsonb, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core';

const at = (name: string) => timestamp(name, { withTimezone: true });

/** Clusters and hosts that people added. What the environment sets up is not stored. */
export const providerInstances = pgTable('provider_instances', {
  id: uuid('id').primaryKey(),
  /** Null = made by an operator, for every tenant. */
  tenantId: text('tenant_id'),
  kind: text('kind').notNull(),
  name: text('name').notNull(),
  /** Its calls run on the workers of this site. */
  site: text('site').notNull(),
  config: jsonb('config').$type<Record<string, unknown>>().notNull(),
  /** Sealed by db/providers/credential-box.ts; null = it needs none. */
  credentials: text('credentials'),
  /** Counts changes: what is connected by an older revision is connected anew. */
  revision: integer('revision').notNull().default(1),
  createdAt: at('created_at').notNull(),
  updatedAt: at('updated_at').notNull(),
});
