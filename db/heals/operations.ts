import { and, asc, eq, gt, isNotNull, max, ne, sql } from 'drizzle-orm';
import type { AttemptFact } from '../../domain/facts.ts';
import type { Fence } from '../../domain/fence.ts';
import { type OperationEvent, type OperationStatus, transition } from '../../domain/operation.ts';
import type { Queryable, Transaction } from '../database.ts';
import { notify } from '../notify.ts';
import { operations } from '../schema/heals.ts';
import { vms } from '../schema/vms.ts';

export type OperationRow = typeof operations.$inferSelect;

/** An operation that was just decided. */
export type NewOperation = Pick<
  OperationRow,
  | 'id'
  | 'vmId'
  | 'tenantId'
  | 'incident'
  | 'attempt'
  | 'action'
  | 'power'
  | 'escalation'
  | 'verifyMs'
  | 'policyId'
  | 'reason'
  | 'previousStatus'
  | 'cause'
  | 'fence'
>;

/** Stores an intended operation; its result is pending. */
export async function recordIntended(tx: Transaction, operation: NewOperation, atMs: number): Promise<OperationRow> {
  const [row] = await tx
    .insert(operations)
    .values({ ...operation, state: 'intended', result: 'pending', intendedAt: new Date(atMs) })
    .returning();
  if (!row) throw new Error(`operation ${operation.id} was not stored`);
  await notifyHeal(tx, row);
  return row;
}

/** Locks the VM of this operation: until the transaction ends nobody else changes it. */
export async function lockVmOfOperation(tx: Transaction, id: string): Promise<void> {
  const vmId = sql`(SELECT ${operations.vmId} FROM ${operations} WHERE ${operations.id} = ${id})`;
  await tx.select({ id: vms.id }).from(vms).where(eq(vms.id, vmId)).for('update');
}

/** Replaces the fence of an intended operation, because the same decision was made again from newer facts. */
export async function recordDecidedAgain(tx: Queryable, id: string, fence: Fence): Promise<void> {
  await tx
    .update(operations)
    .set({ fence })
    .where(and(eq(operations.id, id), eq(operations.state, 'intended')));
}

/** One operation by its id; null when there is none. */
export async function findOperation(tx: Queryable, id: string): Promise<OperationRow | null> {
  const [row] = await tx.select().from(operations).where(eq(operations.id, id));
  return row ?? null;
}

/** The operations of an incident, oldest first. */
export async function findOperationsOf(tx: Queryable, vmId: string, incident: number): Promise<OperationRow[]> {
  return tx
    .select()
    .from(operations)
    .where(and(eq(operations.vmId, vmId), eq(operations.incident, incident)))
    .orderBy(asc(operations.intendedAt), asc(operations.attempt));
}

/**
 * When the last remedy on a VM's power was done, epoch ms, whatever incident it belonged to: what failed before it says nothing
 * after it, also where its heal was lost and another goes on. Null = none is known of.
 */
export async function findLastRemedyDone(tx: Queryable, vmId: string): Promise<number | null> {
  const [last] = await tx
    .select({ at: max(operations.endedAt) })
    .from(operations)
    .where(and(eq(operations.vmId, vmId), eq(operations.state, 'done'), isNotNull(operations.power)));
  return last?.at?.getTime() ?? null;
}

/**
 * Remedies on a VM since then, oldest first, whatever incident they belonged to. Those known not to have been sent don't count,
 * nor do those for failed storage, which have their own limits, nor does `exceptId`.
 */
export async function findAttempts(
  tx: Queryable,
  vmId: string,
  sinceMs: number,
  exceptId: string | null = null,
): Promise<AttemptFact[]> {
  const rows = await tx
    .select({ at: operations.intendedAt, escalation: operations.escalation })
    .from(operations)
    .where(
      and(
        eq(operations.vmId, vmId),
        gt(operations.intendedAt, new Date(sinceMs)),
        ne(operations.state, 'abandoned'),
        ne(operations.cause, 'storage-failed'),
        exceptId === null ? undefined : ne(operations.id, exceptId),
      ),
    )
    .orderBy(asc(operations.intendedAt));
  return rows.map((row) => ({ atMs: row.at.getTime(), escalation: row.escalation }));
}

/**
 * Applies an event to an operation under its row's lock, by domain/operation.ts, and notifies. Null when the event came too
 * late and changed nothing, or there is no such operation. Every change of an operation goes through here.
 */
export async function recordOperationEvent(
  tx: Transaction,
  id: string,
  event: OperationEvent,
  atMs: number,
): Promise<OperationRow | null> {
  const [before] = await tx.select().from(operations).where(eq(operations.id, id)).for('update');
  const after = before && transition(toStatus(before), event, atMs);
  if (!after) return null;
  const [row] = await tx.update(operations).set(toColumns(after)).where(eq(operations.id, id)).returning();
  if (!row) return null;
  await notifyHeal(tx, row);
  return row;
}

function toStatus(row: OperationRow): OperationStatus {
  const { state, presumed, detail, result, errorMessage, sentAt, endedAt, judgedAt } = row;
  const ms = (at: Date | null) => at?.getTime() ?? null;
  return {
    state,
    presumed,
    detail,
    result,
    errorMessage,
    sentAtMs: ms(sentAt),
    endedAtMs: ms(endedAt),
    judgedAtMs: ms(judgedAt),
  };
}

function toColumns({ sentAtMs, endedAtMs, judgedAtMs, ...status }: OperationStatus): Partial<OperationRow> {
  const at = (ms: number | null) => (ms === null ? null : new Date(ms));
  return { ...status, sentAt: at(sentAtMs), endedAt: at(endedAtMs), judgedAt: at(judgedAtMs) };
}

async function notifyHeal(tx: Queryable, { id, vmId, tenantId, result }: OperationRow): Promise<void> {
  await notify(tx, { kind: 'heal', vmId, tenantId, operationId: id, result });
}
