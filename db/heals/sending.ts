import { and, eq, gte, inArray, isNull, ne, or, sql } from 'drizzle-orm';
import { type SendingFacts, whyNotSent } from '../../domain/fence.ts';
import type { PowerState } from '../../domain/power.ts';
import type { Database, Queryable, Transaction } from '../database.ts';
import { databaseNow } from '../database-time.ts';
import { checkState } from '../schema/checks.ts';
import { incidents, operations } from '../schema/heals.ts';
import { tenants } from '../schema/tenants.ts';
import { vmStatus, vms } from '../schema/vms.ts';
import { type OperationRow, recordOperationEvent } from './operations.ts';

/** `unwanted`: withdrawn, because something has changed since it was decided. `overtaken`: it was already sent or had ended. */
export type Move = { kind: 'moved' } | { kind: 'unwanted'; why: string } | { kind: 'overtaken' };

/**
 * Moves an intended operation to `sent` if its fence still holds, with locks on all rows that could change that. Only the
 * caller that gets `moved` may send.
 * @throws (rejects) when it isn't known whether it was moved, or when a lock was not granted within a second
 */
export async function moveToSent({ orm }: Database, operation: OperationRow, powerState: PowerState): Promise<Move> {
  return orm.transaction(async (tx): Promise<Move> => {
    await tx.execute(sql`SET LOCAL lock_timeout = '1s'`);
    const facts = await readUnderLocks(tx, operation, powerState);
    const why = operation.fence === null ? 'it was decided by an older version' : whyNotSent(operation.fence, facts);
    if (why !== null) {
      const withdrawn = { kind: 'withdrawn', detail: `not sent: ${why}`, result: 'skipped' } as const;
      const changed = await recordOperationEvent(tx, operation.id, withdrawn, facts.nowMs);
      return changed === null ? { kind: 'overtaken' } : { kind: 'unwanted', why };
    }
    const sent = await recordOperationEvent(tx, operation.id, { kind: 'sent' }, facts.nowMs);
    return sent === null ? { kind: 'overtaken' } : { kind: 'moved' };
  });
}

/** Locks the rows that could change the facts, in the order of `LOCK_ORDER`, and reads them. */
async function readUnderLocks(tx: Transaction, operation: OperationRow, powerState: PowerState): Promise<SendingFacts> {
  const { vmId, tenantId, incident, id, fence } = operation;
  const [vm] = await tx.select().from(vms).where(eq(vms.id, vmId)).for('update');
  const [tenant] = await tx
    .select({ policyRevision: tenants.policyRevision })
    .from(tenants)
    .where(eq(tenants.id, tenantId))
    .for('share');
  const [open] = await tx
    .select({ incident: incidents.incident })
    .from(incidents)
    .where(and(eq(incidents.vmId, vmId), eq(incidents.incident, incident), isNull(incidents.closedAt)))
    .for('update');
  await tx.select({ id: operations.id }).from(operations).where(eq(operations.id, id)).for('update');
  // every look locks this row to store its results, so no failure count changes while it is locked
  await tx.select({ vmId: vmStatus.vmId }).from(vmStatus).where(eq(vmStatus.vmId, vmId)).for('update');
  const counted = (fence?.checks ?? []).map(({ checkId }) => checkId);
  const states = await tx
    .select({ checkId: checkState.checkId, failures: checkState.consecutiveFailures })
    .from(checkState)
    .where(inArray(checkState.checkId, counted));
  const others = await tx
    .select({ id: operations.id })
    .from(operations)
    .where(
      and(
        eq(operations.vmId, vmId),
        ne(operations.id, id),
        or(eq(operations.state, 'sent'), gte(operations.sentAt, new Date(fence?.factsAtMs ?? 0))),
      ),
    );
  return {
    deleted: vm === undefined || vm.deletedAt !== null,
    paused: vm?.pausedAt != null,
    stoppedOnPurpose: vm?.stoppedOnPurposeAt != null,
    settingsVersion: vm?.settingsVersion ?? 0,
    policyRevision: tenant?.policyRevision ?? 0,
    incidentOpen: open !== undefined,
    otherOperationSent: others.length > 0,
    failures: new Map(states.map(({ checkId, failures }) => [checkId, failures])),
    powerState,
    nowMs: await databaseNow(tx),
  };
}

/** How long ago an operation was moved to `sent`, ms by the database's clock; null when it is in another state. */
export async function findSentForMs(db: Queryable, operationId: string): Promise<number | null> {
  const [row] = await db
    .select({ ms: sql<number>`(extract(epoch FROM defib_now() - ${operations.sentAt}) * 1000)::float8` })
    .from(operations)
    .where(and(eq(operations.id, operationId), eq(operations.state, 'sent')));
  return row?.ms ?? null;
}
