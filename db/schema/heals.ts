import { bigserial, boolean, integer, jsonb, pgTable, primaryKey, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import type { Cause } from '../../domain/choose-remedy.ts';
import type { Facts } from '../../domain/facts.ts';
import type { Fence } from '../../domain/fence.ts';
import type { OperationResult, OperationState } from '../../domain/operation.ts';
import { POLICY_ACTIONS } from '../../domain/policy.ts';
import type { PowerAction, PowerState } from '../../domain/power.ts';
import type { Decision, GuardAnswer } from '../../domain/remedy.ts';

const at = (name: string) => timestamp(name, { withTimezone: true });

export const policies = pgTable('policies', {
  id: uuid('id').primaryKey(),
  tenantId: text('tenant_id').notNull(),
  name: text('name').notNull(),
  enabled: boolean('enabled').notNull(),
  triggerAfterFailures: integer('trigger_after_failures').notNull(),
  action: text('action', { enum: POLICY_ACTIONS }).notNull(),
  cooldownMinutes: integer('cooldown_minutes').notNull(),
  maxAttempts: integer('max_attempts').notNull(),
  attemptWindowHours: integer('attempt_window_hours').notNull(),
  notifyOnTrigger: boolean('notify_on_trigger').notNull(),
  escalateAfterAttempts: integer('escalate_after_attempts'),
  escalationAction: text('escalation_action', { enum: POLICY_ACTIONS }).notNull(),
  verifySeconds: integer('verify_seconds').notNull(),
  vmId: uuid('vm_id'),
  tag: text('tag'),
  createdAt: at('created_at').notNull(),
  updatedAt: at('updated_at').notNull(),
  /** Null = all but one of the failures' intervals. */
  unhealthyForSeconds: integer('unhealthy_for_seconds'),
});

/** The time in which a policy wants the VM healed; at most one open per VM. Its heal is workflow heal/<vm>/<incident>. */
export const incidents = pgTable(
  'incidents',
  {
    vmId: uuid('vm_id').notNull(),
    incident: integer('incident').notNull(),
    tenantId: text('tenant_id').notNull(),
    openedAt: at('opened_at').notNull(),
    closedAt: at('closed_at'),
    outcome: text('outcome'),
    /** The VM's state at its hypervisor as last read, since when it has been the same, and the state before it. */
    powerState: text('power_state').$type<PowerState>(),
    powerStateSince: at('power_state_since'),
    powerStateBefore: text('power_state_before').$type<PowerState>(),
  },
  (table) => [primaryKey({ columns: [table.vmId, table.incident] })],
);

/** What a heal decided, with the facts it decided from. A repeated hold grows `count` instead of adding a row. */
export const healSteps = pgTable(
  'heal_steps',
  {
    vmId: uuid('vm_id').notNull(),
    incident: integer('incident').notNull(),
    step: integer('step').notNull(),
    kind: text('kind', { enum: ['act', 'hold', 'close'] }).notNull(),
    reason: text('reason').notNull(),
    decision: jsonb('decision').$type<Decision>().notNull(),
    guards: jsonb('guards').$type<GuardAnswer[]>().notNull(),
    facts: jsonb('facts').$type<Facts>().notNull(),
    decidedAt: at('decided_at').notNull(),
    lastSeenAt: at('last_seen_at').notNull(),
    count: integer('count').notNull(),
  },
  (table) => [primaryKey({ columns: [table.vmId, table.incident, table.step] })],
);

/**
 * Each attempt at a remedy, sent at most once: domain/operation.ts has its states and results. The id is
 * <vm>/<incident>/<action>/<attempt>. The API's heal events are a query of it, numbered by `eventId`.
 */
export const operations = pgTable('operations', {
  id: text('id').primaryKey(),
  vmId: uuid('vm_id').notNull(),
  incident: integer('incident').notNull(),
  attempt: integer('attempt').notNull(),
  action: text('action').notNull(),
  power: text('power').$type<PowerAction>(),
  escalation: boolean('escalation').notNull(),
  state: text('state').$type<OperationState>().notNull(),
  detail: text('detail'),
  verifyMs: integer('verify_ms').notNull(),
  intendedAt: at('intended_at').notNull(),
  sentAt: at('sent_at'),
  endedAt: at('ended_at'),
  tenantId: text('tenant_id').notNull(),
  policyId: uuid('policy_id'),
  /** Why it was decided, as heal events give it. */
  reason: text('reason').notNull(),
  /** The VM's health when it was decided. */
  previousStatus: text('previous_status').notNull(),
  result: text('result').$type<OperationResult>().notNull(),
  errorMessage: text('error_message'),
  judgedAt: at('judged_at'),
  eventId: bigserial('event_id', { mode: 'number' }).notNull(),
  /** What must still be true when it is sent (domain/fence.ts); null where a version before 0.2 decided it. */
  fence: jsonb('fence').$type<Fence>(),
  /** The finding that this remedy answers. */
  cause: text('cause').$type<Cause>().notNull().default('unresponsive'),
  /** Done as far as is known, but perhaps never sent. */
  presumed: boolean('presumed').notNull().default(false),
});
