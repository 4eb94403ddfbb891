import { and, eq, isNull, sql } from 'drizzle-orm';
import type { PgUpdateSetSource } from 'drizzle-orm/pg-core';
import type { Pool } from 'pg';
import type { JsonObject } from '../../domain/json-value.ts';
import { type AuditAction, type Author, recordAudit } from '../access/audit.ts';
import type { Database, Queryable } from '../database.ts';
import { databaseNow } from '../database-time.ts';
import { notify } from '../notify.ts';
import { holdProviderInstance } from '../providers/provider-instances.ts';
import { apiTokens } from '../schema/tenants.ts';
import { vms } from '../schema/vms.ts';
import { type AimChange, recordAimChanges, recordStarted } from './begin-anew.ts';
import { type NewVm, type VmConflict, withoutConflict } from './vm-registration.ts';

/** A VM's settings as committed, to be announced. */
export interface CommittedVm {
  vmId: string;
  tenantId: string;
  site: string;
  name: string;
  version: number;
}

export type Changed = { ok: true; vm: CommittedVm | null } | { ok: false; conflicts: VmConflict[] };

/** What can change of a VM's own settings. */
export type VmChange = Partial<NewVm> & { stoppedOnPurposeAt?: Date | null };

/** A VM whose settings were read at this version, to be changed only if they still are. */
export interface ReadVm {
  vmId: string;
  version: number;
}

/**
 * Changes a VM's own settings, and the aims of its checks where they depend on them; `vm` is null when it was changed
 * meanwhile, or is gone: read again. One that was stopped on purpose and no longer is counts as started.
 */
export async function recordVmChanged(
  database: Database,
  read: ReadVm,
  change: VmChange,
  aimChanges: readonly AimChange[],
  author: Author,
): Promise<Changed> {
  return withoutConflict(database, author.tenantId, read.vmId, change, async (tx): Promise<Changed> => {
    if (change.providerInstanceId != null) await holdProviderInstance(tx, change.providerInstanceId);
    const { providerKey: _, stoppedOnPurposeAt: stopped, ...shown } = change;
    const details = {
      ...shown,
      ...(change.provider ? { provider: change.provider.kind } : {}),
      ...(stopped === undefined ? {} : { stoppedOnPurpose: stopped !== null }),
    };
    const starts = stopped === null && (await isStopped(tx, read.vmId));
    const changed = { ...change, revision: sql`${vms.revision} + 1` };
    const vm = await recordSettings(tx, read, changed, author, 'vm_updated', details);
    if (vm === null) return { ok: true, vm };
    // workers compare it with their clock, which is the database's
    if (starts) await recordStarted(tx, vm.vmId, await databaseNow(tx));
    await recordAimChanges(tx, vm.vmId, aimChanges);
    return { ok: true, vm };
  });
}

/** Whether a VM is stopped on purpose. Locks its row until the transaction ends. */
async function isStopped(tx: Queryable, vmId: string): Promise<boolean> {
  const [vm] = await tx.select({ at: vms.stoppedOnPurposeAt }).from(vms).where(eq(vms.id, vmId)).for('update');
  return vm !== undefined && vm.at !== null;
}

/**
 * Marks a VM deleted, frees its names and ends its agent's tokens; null when it is gone already, or was changed since `version`;
 * `version` null = whatever it is now.
 */
export async function recordVmDeleted(
  database: Database,
  { vmId, version }: { vmId: string; version: number | null },
  author: Author,
): Promise<CommittedVm | null> {
  return database.orm.transaction(async (tx) => {
    const now = new Date(author.nowMs);
    const vm = await recordSettings(tx, { vmId, version }, { deletedAt: now }, author, 'vm_deleted', {});
    if (vm === null) return null;
    await tx
      .update(apiTokens)
      .set({ revokedAt: now })
      .where(and(eq(apiTokens.vmId, vmId), isNull(apiTokens.revokedAt)));
    return vm;
  });
}

/**
 * Every change of a VM goes through here: the next settings version, its audit row and its notification go together. Null when
 * the VM is gone or was changed since `version`; `version` null = whatever it is now.
 */
export async function recordSettings(
  tx: Queryable,
  { vmId, version }: { vmId: string; version: number | null },
  change: PgUpdateSetSource<typeof vms>,
  author: Author,
  action: AuditAction,
  details: JsonObject,
): Promise<CommittedVm | null> {
  const [row] = await tx
    .update(vms)
    .set({ ...change, settingsVersion: sql`${vms.settingsVersion} + 1`, updatedAt: new Date(author.nowMs) })
    .where(
      and(
        eq(vms.id, vmId),
        eq(vms.tenantId, author.tenantId),
        isNull(vms.deletedAt),
        version === null ? undefined : eq(vms.settingsVersion, version),
      ),
    )
    .returning({ tenantId: vms.tenantId, site: vms.site, name: vms.name, version: vms.settingsVersion });
  if (!row) return null;
  await recordAudit(tx, author, action, details, vmId);
  await notify(tx, { kind: 'vm', vmId, tenantId: row.tenantId });
  return { vmId, ...row };
}

/** Records that this version of a VM's settings need not be announced; earlier ones that wait for it go on waiting. */
export async function recordKnown(pool: Pool, vmId: string, version: number): Promise<void> {
  await pool.query('UPDATE vms SET announced_version = $2::int WHERE id = $1 AND announced_version = $2::int - 1', [
    vmId,
    version,
  ]);
}

/** Records that a VM's settings up to this version were announced to its workflow. */
export async function recordAnnounced(pool: Pool, vmId: string, version: number): Promise<void> {
  await pool.query('UPDATE vms SET announced_version = greatest(announced_version, $2) WHERE id = $1', [vmId, version]);
}
