import { and, eq, gt, isNotNull, sql } from 'drizzle-orm';
import type { Author } from '../access/audit.ts';
import { cleanText } from '../clean-text.ts';
import type { Database, Transaction } from '../database.ts';
import { operations } from '../schema/heals.ts';
import { vms } from '../schema/vms.ts';
import { recordAllBegunAnew } from './begin-anew.ts';
import { type CommittedVm, recordSettings } from './vm-changes.ts';

/**
 * Pauses a VM, or gives its pause another reason; null when it is gone. Waits for an action that is being sent just now. Once
 * the pause is committed, no operation of the VM moves to `sent`.
 */
export async function recordPaused(
  { orm }: Database,
  vmId: string,
  given: string,
  author: Author,
): Promise<CommittedVm | null> {
  // a signal may say anything, and a pause that Postgres refuses would never be stored
  const reason = cleanText(given);
  return orm.transaction(async (tx) => {
    const pausedAt = (await lockPause(tx, vmId)) ?? new Date(author.nowMs);
    const pause = { pausedAt, pausedReason: reason, pausedBy: author.actor };
    return recordSettings(tx, { vmId, version: null }, pause, author, 'vm_paused', { reason });
  });
}

/** Ends a pause, and all checks begin anew; null when the VM is gone, `not-paused` when there was none. */
export async function recordResumed(
  { orm }: Database,
  vmId: string,
  author: Author,
): Promise<CommittedVm | 'not-paused' | null> {
  return orm.transaction(async (tx) => {
    if ((await lockPause(tx, vmId)) === null) return 'not-paused';
    const ended = { pausedAt: null, pausedReason: null, pausedBy: null };
    const resumed = await recordSettings(tx, { vmId, version: null }, ended, author, 'vm_resumed', {});
    // nobody looked meanwhile: with failures of before it, one look at a VM that still boots after its upkeep would have it reset
    if (resumed !== null) await recordAllBegunAnew(tx, vmId);
    return resumed;
  });
}

/** Since when it is paused. Locks it: until the transaction ends nobody else pauses it, resumes it or sends it anything. */
async function lockPause(tx: Transaction, vmId: string): Promise<Date | null> {
  const [vm] = await tx.select({ pausedAt: vms.pausedAt }).from(vms).where(eq(vms.id, vmId)).for('update');
  return vm?.pausedAt ?? null;
}

/** The power actions on a VM that may be being written to its hypervisor: moved to `sent` within the last 3 s, and not ended. */
export async function findBeingSent({ orm }: Database, vmId: string): Promise<string[]> {
  const rows = await orm
    .select({ id: operations.id })
    .from(operations)
    .where(
      and(
        eq(operations.vmId, vmId),
        eq(operations.state, 'sent'),
        isNotNull(operations.power),
        gt(operations.sentAt, sql`defib_now() - interval '3 seconds'`),
      ),
    );
  return rows.map(({ id }) => id);
}
