import { and, eq, gte, inArray, isNull, lt, or, sql } from 'drizzle-orm';
import type { Database } from '../database.ts';
import type { CommittedVm } from '../fleet/vm-changes.ts';
import { checkConfigs } from '../schema/checks.ts';
import { incidents } from '../schema/heals.ts';
import { vmStatus, vms } from '../schema/vms.ts';

/** What Postgres and Temporal may disagree about; each answers a page of at most `limit` rows. */

/** Changes committed before that time that were never announced. */
export async function findUnannounced(
  { orm }: Database,
  beforeMs: number,
  limit: number,
): Promise<(CommittedVm & { deleted: boolean })[]> {
  const rows = await orm
    .select()
    .from(vms)
    .where(and(lt(vms.announcedVersion, vms.settingsVersion), lt(vms.updatedAt, new Date(beforeMs))))
    .limit(limit);
  return rows.map((vm) => ({ ...committed(vm), deleted: vm.deletedAt !== null }));
}

/** VMs registered before that time whose last look was overdue then by a whole interval and more. */
export async function findOverdue({ orm }: Database, beforeMs: number, limit: number): Promise<CommittedVm[]> {
  const before = new Date(beforeMs);
  const overdue = sql`(${vmStatus.lastLookAt} IS NULL OR ${vmStatus.lastLookAt} < ${before}::timestamptz
    - 4 * (SELECT coalesce(max(${checkConfigs.intervalSeconds}), 60) FROM ${checkConfigs}
           WHERE ${checkConfigs.vmId} = ${vms.id} AND ${checkConfigs.enabled}) * interval '1 second')`;
  const rows = await orm
    .select({ vm: vms })
    .from(vms)
    .innerJoin(vmStatus, eq(vmStatus.vmId, vms.id))
    .where(and(isNull(vms.deletedAt), lt(vms.createdAt, before), overdue))
    .limit(limit);
  return rows.map(({ vm }) => committed(vm));
}

/** Incidents opened before that time and still open. */
export async function findOpenIncidents(
  { orm }: Database,
  beforeMs: number,
  limit: number,
): Promise<{ vmId: string; incident: number }[]> {
  return orm
    .select({ vmId: incidents.vmId, incident: incidents.incident })
    .from(incidents)
    .where(and(isNull(incidents.closedAt), lt(incidents.openedAt, new Date(beforeMs))))
    .limit(limit);
}

/** Those of the ids that are VMs and not deleted. */
export async function findExistingVmIds({ orm }: Database, ids: string[]): Promise<Set<string>> {
  const rows = await orm
    .select({ id: vms.id })
    .from(vms)
    .where(and(inArray(vms.id, ids), isNull(vms.deletedAt)));
  return new Set(rows.map((row) => row.id));
}

/** How many VMs may have a workflow that was started before that time: registered by then, and not deleted by then. */
export async function countVmsAt({ orm }: Database, atMs: number): Promise<number> {
  const at = new Date(atMs);
  return orm.$count(vms, and(lt(vms.createdAt, at), or(isNull(vms.deletedAt), gte(vms.deletedAt, at))));
}

function committed(vm: typeof vms.$inferSelect): CommittedVm {
  return { vmId: vm.id, tenantId: vm.tenantId, site: vm.site, version: vm.settingsVersion };
}
