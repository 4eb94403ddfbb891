import { and, eq, isNull, or } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { UNSEEN } from '../../domain/vm-health.ts';
import { recordToken } from '../access/api-tokens.ts';
import { type Author, recordAudit } from '../access/audit.ts';
import type { Database, Queryable } from '../database.ts';
import { isUniqueViolation } from '../database-trouble.ts';
import { notify } from '../notify.ts';
import { holdProviderInstance } from '../providers/provider-instances.ts';
import { checkConfigs } from '../schema/checks.ts';
import { apiTokens } from '../schema/tenants.ts';
import { vmStatus, vms } from '../schema/vms.ts';

/** What users set of a VM: every column of `vms` but those that Defib writes, which are named here. */
export type NewVm = Omit<
  typeof vms.$inferInsert,
  | 'id'
  | 'tenantId'
  | 'createdAt'
  | 'updatedAt'
  | 'deletedAt'
  | 'watcher'
  | 'watchEpoch'
  | 'settingsVersion'
  | 'revision'
  | 'announcedVersion'
  | 'attemptsResetAt'
  | 'stoppedOnPurposeAt'
  | 'pausedAt'
  | 'pausedReason'
  | 'pausedBy'
  | 'startedAt'
>;

export type NewCheck = Omit<typeof checkConfigs.$inferInsert, 'id' | 'vmId' | 'revision' | 'createdAt' | 'updatedAt'>;

/** What of a VM is taken already. `vmId` is given where the other VM is of the same tenant. */
export interface VmConflict {
  what: 'externalId' | 'provider';
  vmId: string | null;
}

export type Registered = { ok: true; id: string; agentToken: string } | { ok: false; conflicts: VmConflict[] };

/** Stores a VM with its checks, its unseen status and its agent's token; or says everything that is taken already. */
export async function recordVm(
  database: Database,
  vm: NewVm,
  checks: readonly NewCheck[],
  author: Author,
): Promise<Registered> {
  return withoutConflict(database, author.tenantId, null, vm, async (tx): Promise<Registered> => {
    const id = uuidv7();
    const now = new Date(author.nowMs);
    if (vm.providerInstanceId != null) await holdProviderInstance(tx, vm.providerInstanceId);
    await tx.insert(vms).values({ ...vm, id, tenantId: author.tenantId, createdAt: now, updatedAt: now });
    const { status, reasons, consecutiveFailures, consecutiveSuccesses, transitionSeq } = UNSEEN;
    await tx
      .insert(vmStatus)
      .values({ vmId: id, status, reasons, consecutiveFailures, consecutiveSuccesses, transitionSeq, lookSeq: 0 });
    if (checks.length > 0) {
      const rows = checks.map((check) => ({
        ...check,
        id: uuidv7(),
        vmId: id,
        createdAt: now,
        updatedAt: now,
      }));
      await tx.insert(checkConfigs).values(rows);
    }
    const { name, externalId = null, address = null, provider } = vm;
    const checkTypes = checks.map((check) => check.checkType);
    await recordAudit(tx, author, 'vm_created', { name, externalId, address, provider: provider.kind, checkTypes }, id);
    const agent = { tenantId: author.tenantId, role: 'AGENT' as const, vmId: id, name: 'agent', expiresAtMs: null };
    const { secret } = await recordToken(tx, agent, author);
    await notify(tx, { kind: 'vm', vmId: id, tenantId: author.tenantId });
    return { ok: true, id, agentToken: secret };
  });
}

/** Takes back a VM whose registration could not be announced, as if it had never been registered. */
export async function withdrawVm(database: Database, vmId: string, author: Author): Promise<void> {
  await database.orm.transaction(async (tx) => {
    await tx.delete(vms).where(eq(vms.id, vmId));
    await tx.delete(vmStatus).where(eq(vmStatus.vmId, vmId));
    await tx.delete(checkConfigs).where(eq(checkConfigs.vmId, vmId));
    await tx.delete(apiTokens).where(eq(apiTokens.vmId, vmId));
    await recordAudit(tx, author, 'vm_registration_withdrawn', {}, vmId);
    await notify(tx, { kind: 'vm', vmId, tenantId: author.tenantId });
  });
}

/**
 * Runs a write unless the VM's names are taken. They are looked up first, so that all are named at once; a VM registered
 * at the same moment runs into the unique indexes and gets the same answer.
 */
export async function withoutConflict<Result>(
  database: Database,
  tenantId: string,
  exceptVmId: string | null,
  names: Partial<Pick<NewVm, 'externalId' | 'providerKey'>>,
  write: (tx: Queryable) => Promise<Result>,
): Promise<Result | { ok: false; conflicts: VmConflict[] }> {
  const ask = () => findConflicts(database, tenantId, exceptVmId, names);
  const conflicts = await ask();
  if (conflicts.length > 0) return { ok: false, conflicts };
  try {
    return await database.orm.transaction((tx) => write(tx));
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    return { ok: false, conflicts: await ask() };
  }
}

async function findConflicts(
  database: Database,
  tenantId: string,
  exceptVmId: string | null,
  { externalId, providerKey }: Partial<Pick<NewVm, 'externalId' | 'providerKey'>>,
): Promise<VmConflict[]> {
  const wanted = [
    externalId ? and(eq(vms.tenantId, tenantId), eq(vms.externalId, externalId)) : undefined,
    providerKey ? eq(vms.providerKey, providerKey) : undefined,
  ].filter((condition) => condition !== undefined);
  if (wanted.length === 0) return [];
  const rows = await database.orm
    .select()
    .from(vms)
    .where(and(isNull(vms.deletedAt), or(...wanted)));
  return rows
    .filter((row) => row.id !== exceptVmId)
    .flatMap((row) => {
      const vmId = row.tenantId === tenantId ? row.id : null;
      const taken: VmConflict[] = [];
      if (externalId && vmId !== null && row.externalId === externalId) taken.push({ what: 'externalId', vmId });
      if (providerKey && row.providerKey === providerKey) taken.push({ what: 'provider', vmId });
      return taken;
    });
}
