import { and, eq, isNull, sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { timeoutOf } from '../../domain/watched.ts';
import type { Author } from '../access/audit.ts';
import type { Database, Queryable } from '../database.ts';
import { checkConfigs } from '../schema/checks.ts';
import { vms } from '../schema/vms.ts';
import { recordAimChanges, recordBegunAnew, recordProofsDropped } from './begin-anew.ts';
import { type CommittedVm, type ReadVm, recordSettings } from './vm-changes.ts';
import type { NewCheck } from './vm-registration.ts';

/** A check's aim, and the one that it had when the VM was read; null when there was no such check. */
export interface Aims {
  before: string | null;
  after: string;
}

/**
 * Stores a check, whole, under its type and name; null when the VM was changed since it was read, or is gone. One whose aim
 * changes, or that is enabled again, begins anew: its earlier results do not count any more.
 */
export async function recordCheck(
  database: Database,
  read: ReadVm,
  check: NewCheck,
  aims: Aims,
  author: Author,
): Promise<CommittedVm | null> {
  return database.orm.transaction(async (tx) => {
    const { checkType, name = '', target = null, intervalSeconds, enabled, trusted = false } = check;
    const details = { checkType, name, target, intervalSeconds, enabled, trusted };
    const vm = await recordSettings(tx, read, {}, author, 'health_check_configured', details);
    if (vm === null) return null;
    const now = new Date(author.nowMs);
    await recordWhatBeginsAnew(tx, read.vmId, check, aims);
    await tx
      .insert(checkConfigs)
      .values({ ...check, id: uuidv7(), vmId: read.vmId, createdAt: now, updatedAt: now })
      .onConflictDoUpdate({
        target: [checkConfigs.vmId, checkConfigs.checkType, checkConfigs.name],
        set: { ...check, revision: sql`${checkConfigs.revision} + 1`, updatedAt: now },
      });
    return vm;
  });
}

async function recordWhatBeginsAnew(
  tx: Queryable,
  vmId: string,
  check: NewCheck,
  { before, after }: Aims,
): Promise<void> {
  const { checkType, name = '' } = check;
  const one = and(eq(checkConfigs.vmId, vmId), eq(checkConfigs.checkType, checkType), eq(checkConfigs.name, name));
  const [stored] = await tx.select().from(checkConfigs).where(one);
  if (stored === undefined) return;
  if (before !== null && before !== after)
    await recordAimChanges(tx, vmId, [{ checkId: stored.id, by: check.aimedBy ?? 'USER', before, after }]);
  else if (check.enabled && !stored.enabled) await recordBegunAnew(tx, vmId, [stored.id]);
  const { intervalSeconds, timeoutSeconds = null } = check;
  if (timeoutOf({ intervalSeconds, timeoutSeconds }) < timeoutOf(stored))
    await recordProofsDropped(tx, vmId, stored.id);
}

/** Disables a check and keeps its row; null when the VM was changed since it was read, or is gone. */
export async function recordCheckDisabled(
  database: Database,
  read: ReadVm,
  check: { id: string; checkType: string; name: string },
  author: Author,
): Promise<CommittedVm | null> {
  return database.orm.transaction(async (tx) => {
    const details = { checkType: check.checkType, name: check.name };
    const vm = await recordSettings(tx, read, {}, author, 'health_check_disabled', details);
    if (vm === null) return null;
    await tx
      .update(checkConfigs)
      .set({ enabled: false, revision: sql`${checkConfigs.revision} + 1`, updatedAt: new Date(author.nowMs) })
      .where(eq(checkConfigs.id, check.id));
    return vm;
  });
}

/**
 * Makes the check that an agent's first report asks for; null when the VM has one already, enabled or not. Two first
 * reports at once make one.
 */
export async function recordFirstAgentCheck(
  database: Database,
  vmId: string,
  check: NewCheck,
  author: Author,
): Promise<CommittedVm | null> {
  return database.orm.transaction(async (tx) => {
    const now = new Date(author.nowMs);
    // locks the VM's row before its checks' rows, as every change of a check does
    const here = and(eq(vms.id, vmId), isNull(vms.deletedAt));
    const [vm] = await tx.select({ id: vms.id }).from(vms).where(here).for('no key update');
    if (vm === undefined) return null;
    const made = await tx
      .insert(checkConfigs)
      .values({ ...check, id: uuidv7(), vmId, createdAt: now, updatedAt: now })
      .onConflictDoNothing()
      .returning({ id: checkConfigs.id });
    if (made.length === 0) return null;
    const details = { checkType: check.checkType, intervalSeconds: check.intervalSeconds, by: 'first report' };
    return recordSettings(tx, { vmId, version: null }, {}, author, 'health_check_configured', details);
  });
}
