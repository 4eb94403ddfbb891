import { integer, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import type { Role } from '../../domain/roles.ts';

const at = (name: string) => timestamp(name, { withTimezone: true });

export const tenants = pgTable('tenants', {
  id: text('id').primaryKey(),
  name: text('name').notNull(),
  createdAt: at('created_at').notNull(),
  /** Counts the changes of its policies: operations that were decided by earlier ones are not sent any more. */
  policyRevision: integer('policy_revision').notNull().default(0),
  /** CIDRs and addresses that its checks may reach, given by an operator; none = its VMs' own addresses. */
  checkTargets: text('check_targets').array().notNull().default([]),
});

/** Bearer tokens; only a SHA-256 of each is stored. An AGENT's token speaks for one VM. */
export const apiTokens = pgTable('api_tokens', {
  id: uuid('id').primaryKey(),
  tenantId: text('tenant_id').notNull(),
  role: text('role').$type<Role>().notNull(),
  vmId: uuid('vm_id'),
  name: text('name').notNull(),
  tokenHash: text('token_hash').notNull().unique(),
  expiresAt: at('expires_at'),
  revokedAt: at('revoked_at'),
  createdAt: at('created_at').notNull(),
});
