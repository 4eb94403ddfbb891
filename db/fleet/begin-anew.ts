import { eq, inArray, sql } from 'drizzle-orm';
import type { Queryable } from '../database.ts';
import { checkConfigs, checkProofs, checkState } from '../schema/checks.ts';
import { vmStatus, vms } from '../schema/vms.ts';

/** A check that is aimed elsewhere than before, by the hashes of both aims. */
export interface AimChange {
  checkId: string;
  before: string;
  after: string;
}

/**
 * Checks of a VM begin anew: what they saw before says nothing about now, nor does what looks under way and results that ride
 * along will say of it. Whether they are proven stays.
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
      reason: 'not-checked-yet',
      message: null,
    })
    .where(inArray(checkState.checkId, [...checkIds]));
  await raiseSeries(tx, checkIds);
}

/** A VM is started by request: it is meant to run, has its time to boot, and all its checks begin anew. */
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

/** Checks that are aimed elsewhere begin anew, and are trusted no more. One that was proven for its new aim before is proven again. */
export async function recordAimChanges(tx: Queryable, vmId: string, changes: readonly AimChange[]): Promise<void> {
  if (changes.length === 0) return;
  const ids = changes.map(({ checkId }) => checkId);
  await recordBegunAnew(tx, vmId, ids);
  await tx.update(checkConfigs).set({ trusted: false }).where(inArray(checkConfigs.id, ids));
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

/** A check has less time to answer than before: whether it succeeds so is to be seen, with whatever aim. */
export async function recordProofsDropped(tx: Queryable, vmId: string, checkId: string): Promise<void> {
  await passLooksUnderWay(tx, vmId);
  await tx.update(checkState).set({ provenAt: null }).where(eq(checkState.checkId, checkId));
  await raiseSeries(tx, [checkId]);
  await tx.delete(checkProofs).where(eq(checkProofs.checkId, checkId));
}

/** A look under way loses its swap on `lookSeq`, and reads again. */
async function passLooksUnderWay(tx: Queryable, vmId: string): Promise<void> {
  await tx
    .update(vmStatus)
    .set({ lookSeq: sql`${vmStatus.lookSeq} + 1` })
    .where(eq(vmStatus.vmId, vmId));
}

/** What was seen until now is of an earlier series, and counts no more. */
async function raiseSeries(tx: Queryable, checkIds: readonly string[]): Promise<void> {
  await tx
    .update(checkConfigs)
    .set({ series: sql`${checkConfigs.series} + 1` })
    .where(inArray(checkConfigs.id, [...checkIds]));
}
