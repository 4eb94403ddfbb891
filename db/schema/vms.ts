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
import type { ProviderReference } from '../../domain/provider-reference.ts';
import type { HealthReason } from '../../domain/vm-health.ts';

const at = (name: string) => timestamp(name, { withTimezone: true });

export const vms = pgTable('vms', {
  id: uuid('id').primaryKey(),
  tenantId: text('tenant_id').notNull(),
  name: text('name').notNull(),
  address: text('address'),
  externalId: text('external_id'),
  site: text('site').notNull(),
  host: text('host'),
  tags: text('tags').array().notNull().default([]),
  provider: jsonb('provider').$type<ProviderReference>().notNull(),
  /** Canonical name of the VM at its provider; one VM per key over all tenants. Null where a provider has none. */
  providerKey: text('provider_key'),
  /** How often its agent reports; decides when silence is staleness. */
  reportIntervalSeconds: integer('report_interval_seconds').notNull(),
  /** Since when the VM is stopped on purpose; null = it should run. */
  stoppedOnPurposeAt: at('stopped_on_purpose_at'),
  /** Who looks at it: `care`, or a ward. Changes only together with the epoch. */
  watcher: text('watcher').notNull().default('care'),
  watchEpoch: integer('watch_epoch').notNull().default(1),
  settingsVersion: integer('settings_version').notNull().default(1),
  announcedVersion: integer('announced_version').notNull().default(0),
  attemptsResetAt: at('attempts_reset_at'),
  createdAt: at('created_at').notNull(),
  updatedAt: at('updated_at').notNull(),
  deletedAt: at('deleted_at'),
  /** Null = what the environment of its site's processes sets up for this kind of provider. */
  providerInstanceId: uuid('provider_instance_id'),
  /** Since when it is paused, why, and by whom; null = it is not paused. */
  pausedAt: at('paused_at'),
  pausedReason: text('paused_reason'),
  pausedBy: text('paused_by'),
  /** Whether it is to be started when a heal finds it off and nobody stopped it on purpose. */
  keepRunning: boolean('keep_running').notNull().default(false),
  /** When it was last started on purpose, by a person or a heal; the boot grace begins then. */
  startedAt: at('started_at'),
  /** Counts the changes of its own settings by people. */
  revision: integer('revision').notNull().default(1),
});

/** The VM's health as a whole. `lookSeq` is compared and swapped by every look that is stored. */
export const vmStatus = pgTable('vm_status', {
  vmId: uuid('vm_id').primaryKey(),
  status: text('status', { enum: ['unknown', 'healthy', 'degraded', 'unhealthy'] }).notNull(),
  reasons: jsonb('reasons').$type<HealthReason[]>().notNull(),
  consecutiveFailures: integer('consecutive_failures').notNull(),
  consecutiveSuccesses: integer('consecutive_successes').notNull(),
  lastCheckAt: at('last_check_at'),
  lastHealthyAt: at('last_healthy_at'),
  lastUnhealthyAt: at('last_unhealthy_at'),
  /** When a look last ended, conclusive or not: proof that somebody watches. */
  lastLookAt: at('last_look_at'),
  transitionSeq: integer('transition_seq').notNull(),
  lookSeq: bigint('look_seq', { mode: 'number' }).notNull(),
  /** Until when the last conclusive results of its checks hold; null = none has been conclusive. */
  conclusiveUntil: at('conclusive_until'),
});

export const healthTransitions = pgTable(
  'health_transitions',
  {
    vmId: uuid('vm_id').notNull(),
    seq: integer('seq').notNull(),
    tenantId: text('tenant_id').notNull(),
    fromStatus: text('from_status').notNull(),
    toStatus: text('to_status').notNull(),
    reasons: jsonb('reasons').$type<HealthReason[]>().notNull(),
    at: at('at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.vmId, table.seq] })],
);

/** The last live report of a VM's agent, by our receive time. */
export const vmAgents = pgTable('vm_agents', {
  vmId: uuid('vm_id').primaryKey(),
  lastHeartbeatAt: at('last_heartbeat_at').notNull(),
  agentAt: at('agent_at'),
  agentVersion: text('agent_version'),
  cpuPercent: doublePrecision('cpu_percent'),
  ramPercent: doublePrecision('ram_percent'),
  diskPercent: doublePrecision('disk_percent'),
  uptimeSeconds: doublePrecision('uptime_seconds'),
});

/** Partitioned by day of `at`. */
export const vmMetrics = pgTable(
  'vm_metrics',
  {
    vmId: uuid('vm_id').notNull(),
    at: at('at').notNull(),
    backfilled: boolean('backfilled').notNull(),
    cpuPercent: doublePrecision('cpu_percent'),
    ramPercent: doublePrecision('ram_percent'),
    diskPercent: doublePrecision('disk_percent'),
    uptimeSeconds: doublePrecision('uptime_seconds'),
  },
  (table) => [primaryKey({ columns: [table.vmId, table.at] })],
);

/** Stretches of time in which Defib could receive reports; the last one is marked every 10 s. */
export const listeningSpans = pgTable('listening_spans', {
  fromAt: at('from_at').primaryKey(),
  untilAt: at('until_at').notNull(),
});
