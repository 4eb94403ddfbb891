import { integer, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core';

const at = (name: string) => timestamp(name, { withTimezone: true });

/** What people should know: open as long as it applies. At most one of a kind is open about a subject. */
export const notices = pgTable('notices', {
  id: uuid('id').primaryKey(),
  /** Machine-readable, kebab-case. */
  kind: text('kind').notNull(),
  /** What it is about: a VM's id, `site/<name>` … */
  subject: text('subject').notNull(),
  /** Null = it concerns the installation, and is for operators. */
  tenantId: text('tenant_id'),
  vmId: uuid('vm_id'),
  /** What is the case and what to do, for people. */
  message: text('message').notNull(),
  openedAt: at('opened_at').notNull(),
  lastSeenAt: at('last_seen_at').notNull(),
  closedAt: at('closed_at'),
  /** How often it was found. */
  count: integer('count').notNull().default(1),
});
