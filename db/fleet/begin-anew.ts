import { eq, inArray, sql } from 'drizzle-orm';
import type { Role } from '../../domain/roles.ts';
import type { Queryable } from '../database.ts';
import { checkConfigs, checkProofs, checkState } from '../schema/checks.ts';
import { vmStatus, vms } from '../schema/vms.ts';

/** A check whose aim has changed, by whom, and the hashes of both aims. */
export interface AimChange {
  checkId: string;
  by: Role;
  before: string;
  after: string;
}

/**
 * Checks of a VM begin anew: their earlier results do not count any more, nor do those of looks that are under way or not
 * stored yet. Whether they are proven does not change.
 */
export async function recordBegunAnew(tx: Queryable, vmId: string, checkIds: readonly string[]): Promise<void> {
  await passLooksUnderWay(tx, vmId);
  await tx
    .update(checkState)
    .set({
      status: 'unknown',
      consecutiveFailures: 0,
      consecutiveSuccesses: 0,
      lastDueAt: null,
      lastCheckAt: null,
      lastHealthyAt: null,
      lastUnhealthyAt: null,
      failedDueAt: null,
      failingSince: null,
      reason: 'not-checked-yet',
      message: null,
    })
    .where(inArray(checkState.checkId, [...checkIds]));
  await raiseSeries(tx, checkIds);
}

/** A VM is started on purpose: it is meant to run, its boot grace begins, and all its checks begin anew. */
export async function recordStarted(tx: Queryable, vmId: string, startedAtMs: number): Promise<void> {
  await tx
    .update(vms)
    .set({ stoppedOnPurposeAt: null, startedAt: new Date(startedAtMs) })
    .where(eq(vms.id, vmId));
  await recordAllBegunAnew(tx, vmId);
  await tx.update(vmStatus).set({ conclusiveUntil: null }).where(eq(vmStatus.vmId, vmId));
}

/** All checks of a VM begin anew. */
export async function recordAllBegunAnew(tx: Queryable, vmId: string): Promise<void> {
  const checks = await tx.select({ id: checkConfigs.id }).from(checkConfigs).where(eq(checkConfigs.vmId, vmId));
  await recordBegunAnew(
    tx,
    vmId,
    checks.map(({ id }) => id),
  );
  await tx.update(vmStatus).set({ consecutiveFailures: 0, consecutiveSuccesses: 0 }).where(eq(vmStatus.vmId, vmId));
}

/**
 * Checks whose aim has changed begin anew, and are no longer trusted. One that was proven with its new aim before is proven
 * again.
 */
export async function recordAimChanges(tx: Queryable, vmId: string, changes: readonly AimChange[]): Promise<void> {
  if (changes.length === 0) return;
  const ids = changes.map(({ checkId }) => checkId);
  await recordBegunAnew(tx, vmId, ids);
  for (const { checkId, by } of changes) {
    await tx.update(checkConfigs).set({ trusted: false, aimedBy: by }).where(eq(checkConfigs.id, checkId));
  }
  await tx.execute(sql`
    WITH changed AS (
      SELECT * FROM jsonb_to_recordset(${JSON.stringify(changes)}::jsonb) AS c("checkId" uuid, before text, after text)
    ), kept AS (
      INSERT INTO check_proofs (check_id, aim, proven_at)
      SELECT c."checkId", c.before, st.proven_at FROM changed c JOIN check_state st ON st.check_id = c."checkId"
      WHERE st.proven_at IS NOT NULL ON CONFLICT DO NOTHING
    )
    UPDATE check_state st SET proven_at =
      (SELECT p.proven_at FROM check_proofs p WHERE p.check_id = st.check_id AND p.aim = c.after)
    FROM changed c WHERE st.check_id = c."checkId"`);
}

/** A check has less time to answer than before, so it has to succeed again before it counts as proven, with every aim. */
export async function recordProofsDropped(tx: Queryable, vmId: string, checkId: string): Promise<void> {
  await passLooksUnderWay(tx, vmId);
  await tx.update(checkState).set({ provenAt: null }).where(eq(checkState.checkId, checkId));
  await raiseSeries(tx, [checkId]);
  await tx.delete(checkProofs).where(eq(checkProofs.checkId, checkId));
}

/** Makes looks under way fail their compare-and-swap on `lookSeq`, so that they read again. */
async function passLooksUnderWay(tx: Queryable, vmId: string): Promise<void> {
  await tx
    .update(vmStatus)
    .set({ lookSeq: sql`${vmStatus.lookSeq} + 1` })
    .where(eq(vmStatus.vmId, vmId));
}

/** Makes all results so far ones of an earlier series, which do not count. */
async function raiseSeries(tx: Queryable, checkIds: readonly string[]): Promise<void> {
  await tx
    .update(checkConfigs)
    .set({ series: sql`${checkConfigs.series} + 1` })
    .where(inArray(checkConfigs.id, [...checkIds]));
}
