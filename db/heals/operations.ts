import { and, asc, eq, gt, inArray, ne, sql } from 'drizzle-orm';
import type { AttemptFact } from '../../domain/facts.ts';
import type { Queryable } from '../database.ts';
import { CHANNEL } from '../notify.ts';
import { healEvents, operations } from '../schema/heals.ts';

export type OperationRow = typeof operations.$inferSelect;
export type NewHealEvent = typeof healEvents.$inferInsert;

/** An intended operation and its heal event, pending. */
export async function recordIntended(
  tx: Queryable,
  operation: typeof operations.$inferInsert,
  event: NewHealEvent,
): Promise<void> {
  await tx.insert(operations).values(operation);
  await tx.insert(healEvents).values(event);
  await notifyHeal(tx, operation.id);
}

export async function findOperation(tx: Queryable, id: string): Promise<OperationRow | null> {
  const [row] = await tx.select().from(operations).where(eq(operations.id, id));
  return row ?? null;
}

export async function findOperationsOf(tx: Queryable, vmId: string, incident: number): Promise<OperationRow[]> {
  return tx
    .select()
    .from(operations)
    .where(and(eq(operations.vmId, vmId), eq(operations.incident, incident)))
    .orderBy(asc(operations.intendedAt), asc(operations.attempt));
}

/** Remedies on a VM since then, whatever incident they belonged to; those that were surely never sent don't count. */
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
        exceptId === null ? undefined : ne(operations.id, exceptId),
      ),
    )
    .orderBy(asc(operations.intendedAt));
  return rows.map((row) => ({ atMs: row.at.getTime(), escalation: row.escalation }));
}

export type Moved = { from: OperationRow['state'][]; to: OperationRow['state']; detail?: string; atMs: number };

/** Moves an operation on by compare-and-swap; false when it was no longer in one of the states it should be in. */
export async function recordMoved(tx: Queryable, id: string, { from, to, detail, atMs }: Moved): Promise<boolean> {
  const at = new Date(atMs);
  const moved = await tx
    .update(operations)
    .set({
      state: to,
      ...(detail === undefined ? {} : { detail }),
      ...(to === 'sent' ? { sentAt: at } : { endedAt: at }),
    })
    .where(and(eq(operations.id, id), inArray(operations.state, from)))
    .returning({ id: operations.id });
  return moved.length === 1;
}

/** Closes the heal event of an operation, once; a second verdict changes nothing. */
export async function recordHealResult(
  tx: Queryable,
  operationId: string,
  verdict: { result: 'success' | 'failed' | 'skipped'; errorMessage: string | null; atMs: number },
): Promise<void> {
  await tx
    .update(healEvents)
    .set({ result: verdict.result, errorMessage: verdict.errorMessage, completedAt: new Date(verdict.atMs) })
    .where(and(eq(healEvents.operationId, operationId), eq(healEvents.result, 'pending')));
  await notifyHeal(tx, operationId);
}

async function notifyHeal(tx: Queryable, operationId: string): Promise<void> {
  await tx.execute(
    sql`SELECT pg_notify(${CHANNEL}, json_build_object('kind', 'heal', 'vmId', vm_id, 'tenantId', tenant_id,
      'operationId', operation_id, 'result', result)::text) FROM heal_events WHERE operation_id = ${operationId}`,
  );
}
