import { eq, sql } from 'drizzle-orm';
import { type Author, recordAudit } from '../access/audit.ts';
import type { Database } from '../database.ts';
import { databaseNow } from '../database-time.ts';
import { notify } from '../notify.ts';
import { checkState } from '../schema/checks.ts';
import { vmStatus, vms } from '../schema/vms.ts';

/**
 * Sets heal attempts and failures to 0, by the database's clock: with that of an API process that is ahead, no attempt would count
 * for as long. A look that was folded meanwhile finds another `look_seq` and folds again.
 */
export async function recordAttemptsReset(database: Database, vmId: string, author: Author): Promise<void> {
  await database.orm.transaction(async (tx) => {
    await tx
      .update(vms)
      .set({ attemptsResetAt: new Date(await databaseNow(tx)) })
      .where(eq(vms.id, vmId));
    const [status] = await tx
      .update(vmStatus)
      .set({ consecutiveFailures: 0, lookSeq: sql`${vmStatus.lookSeq} + 1` })
      .where(eq(vmStatus.vmId, vmId))
      .returning({ lookSeq: vmStatus.lookSeq });
    if (status) {
      await tx.update(checkState).set({ consecutiveFailures: 0, seq: status.lookSeq }).where(eq(checkState.vmId, vmId));
    }
    await recordAudit(tx, author, 'auto_heal_reset', {}, vmId);
    await notify(tx, { kind: 'vm', vmId, tenantId: author.tenantId });
  });
}
