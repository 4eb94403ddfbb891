import { bigserial, jsonb, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import type { JsonObject, JsonValue } from '../../domain/json-value.ts';

const at = (name: string) => timestamp(name, { withTimezone: true });

/** Who changed what; written in the change's own transaction. */
export const auditLog = pgTable('audit_log', {
  id: bigserial('id', { mode: 'number' }).primaryKey(),
  tenantId: text('tenant_id').notNull(),
  at: at('at').notNull(),
  actor: text('actor').notNull(),
  action: text('action').notNull(),
  vmId: uuid('vm_id'),
  details: jsonb('details').$type<JsonObject>().notNull(),
});

/** Settings changed while running, and small facts the system keeps about itself. */
export const systemConfig = pgTable('system_config', {
  key: text('key').primaryKey(),
  value: jsonb('value').$type<JsonValue>().notNull(),
  updatedAt: at('updated_at').notNull(),
});
