import { eq, sql } from 'drizzle-orm';
import type { Queryable } from '../database.ts';
import { tenants } from '../schema/tenants.ts';
import { vmStatus, vms } from '../schema/vms.ts';

/** What a heal needs to know of its VM besides what looks know. */
export interface HealSubject {
  /** The database's clock before all else was read. */
  nowMs: number;
  attemptsResetAtMs: number | null;
  /** How often its tenant's policies were changed. */
  policyRevision: number;
  /** When a look last ended, conclusive or not. */
  lastLookAtMs: number | null;
}

/** Of one VM, deleted ones too; null when there is none. */
export async function findHealSubject(db: Queryable, vmId: string): Promise<HealSubject | null> {
  const [row] = await db
    .select({
      now: sql<number>`(extract(epoch FROM defib_now()) * 1000)::float8`,
      attemptsResetAt: vms.attemptsResetAt,
      lastLookAt: vmStatus.lastLookAt,
      policyRevision: tenants.policyRevision,
    })
    .from(vms)
    .innerJoin(vmStatus, eq(vmStatus.vmId, vms.id))
    .leftJoin(tenants, eq(tenants.id, vms.tenantId))
    .where(eq(vms.id, vmId));
  if (!row) return null;
  return {
    nowMs: Math.round(row.now),
    policyRevision: row.policyRevision ?? 0,
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
