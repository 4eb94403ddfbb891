import { eq } from 'drizzle-orm';
import type { Queryable } from '../database.ts';
import { vmStatus, vms } from '../schema/vms.ts';

/** What a heal needs to know of its VM besides what looks know. */
export interface HealSubject {
  attemptsResetAtMs: number | null;
  /** When a look last ended, conclusive or not. */
  lastLookAtMs: number | null;
}

/** Of one VM, deleted ones too; null when there is none. */
export async function findHealSubject(db: Queryable, vmId: string): Promise<HealSubject | null> {
  const [row] = await db
    .select({ attemptsResetAt: vms.attemptsResetAt, lastLookAt: vmStatus.lastLookAt })
    .from(vms)
    .innerJoin(vmStatus, eq(vmStatus.vmId, vms.id))
    .where(eq(vms.id, vmId));
  if (!row) return null;
  return {
    attemptsResetAtMs: row.attemptsResetAt?.getTime() ?? null,
    lastLookAtMs: row.lastLookAt?.getTime() ?? null,
  };
}

/** Notes that a VM is meant to be off from now on, or (null) meant to run. */
export async function recordStoppedOnPurpose(db: Queryable, vmId: string, sinceMs: number | null): Promise<void> {
  await db
    .update(vms)
    .set({ stoppedOnPurposeAt: sinceMs === null ? null : new Date(sinceMs) })
    .where(eq(vms.id, vmId));
}
