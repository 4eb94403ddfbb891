import {
  bigint,
  boolean,
  doublePrecision,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uuid,
} from 'drizzle-orm/pg-core';
import type { JsonObject } from '../../domain/json-value.ts';
import type { Role } from '../../domain/roles.ts';

const at = (name: string) => timestamp(name, { withTimezone: true });

/** A VM's checks as people set them. */
export const checkConfigs = pgTable('check_configs', {
  id: uuid('id').primaryKey(),
  vmId: uuid('vm_id').notNull(),
  checkType: text('check_type').notNull(),
  /** '' = the one that is addressed by its type alone; further ones of a type carry a name. */
  name: text('name').notNull().default(''),
  target: text('target'),
  intervalSeconds: integer('interval_seconds').notNull(),
  /** Null = 10 s, or the interval where that is shorter. */
  timeoutSeconds: integer('timeout_seconds'),
  failureThreshold: integer('failure_threshold').notNull(),
  successThreshold: integer('success_threshold').notNull(),
  staleAfterSeconds: integer('stale_after_seconds'),
  options: jsonb('options').$type<JsonObject>().notNull(),
  enabled: boolean('enabled').notNull(),
  createdAt: at('created_at').notNull(),
  updatedAt: at('updated_at').notNull(),
  /** Raised when earlier results are not to count any more: results of an earlier series are dropped. */
  series: integer('series').notNull().default(0),
  /** Whether its failures count as evidence although it is not proven; set by an administrator, until its aim changes. */
  trusted: boolean('trusted').notNull().default(false),
  /** Who set its type, target and options, or the address that they are used with, last: decides what it may reach. */
  aimedBy: text('aimed_by').$type<Role>().notNull().default('USER'),
  /** Counts its changes by people. */
  revision: integer('revision').notNull().default(1),
  /** The pace while the check is not healthy; null = the interval. */
  retryIntervalSeconds: integer('retry_interval_seconds'),
});

/** Counters and due times. Written only together with the VM's `vm_status.lookSeq`, copied to `seq`. */
export const checkState = pgTable('check_state', {
  checkId: uuid('check_id').primaryKey(),
  vmId: uuid('vm_id').notNull(),
  status: text('status', { enum: ['unknown', 'healthy', 'degraded', 'unhealthy'] }).notNull(),
  consecutiveFailures: integer('consecutive_failures').notNull(),
  consecutiveSuccesses: integer('consecutive_successes').notNull(),
  lastDueAt: at('last_due_at'),
  lastCheckAt: at('last_check_at'),
  lastHealthyAt: at('last_healthy_at'),
  lastUnhealthyAt: at('last_unhealthy_at'),
  reason: text('reason').notNull(),
  message: text('message'),
  seq: bigint('seq', { mode: 'number' }).notNull(),
  /** When it first succeeded with its present aim; null = never. */
  provenAt: at('proven_at'),
  /** The tick of the last failure that was counted. */
  failedDueAt: at('failed_due_at'),
  /** The tick of the first of the failures in a row. */
  failingSince: at('failing_since'),
});

/** Earlier aims of a check, and when it first succeeded with each: when a change is undone, the check is proven again. */
export const checkProofs = pgTable(
  'check_proofs',
  {
    checkId: uuid('check_id').notNull(),
    /** The hash that checks/registry.ts makes of type, target, address and options. */
    aim: text('aim').notNull(),
    provenAt: at('proven_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.checkId, table.aim] })],
);

/** Partitioned by day of `dueAt`; one row per tick that was looked at. */
export const checkResults = pgTable(
  'check_results',
  {
    vmId: uuid('vm_id').notNull(),
    checkId: uuid('check_id').notNull(),
    dueAt: at('due_at').notNull(),
    checkedAt: at('checked_at').notNull(),
    checkType: text('check_type').notNull(),
    status: text('status', { enum: ['healthy', 'unhealthy', 'unknown'] }).notNull(),
    reason: text('reason').notNull(),
    latencyMs: doublePrecision('latency_ms'),
    message: text('message'),
    rawResponse: jsonb('raw_response').$type<JsonObject>(),
  },
  (table) => [primaryKey({ columns: [table.vmId, table.checkId, table.dueAt] })],
);
