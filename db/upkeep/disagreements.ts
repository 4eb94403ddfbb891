import { and, asc, gt, gte, inArray, isNull, lt, or } from 'drizzle-orm';
import { MAX_AHEAD_MS } from '../../domain/grid.ts';
import type { Database } from '../database.ts';
import { unknownReason, WATCH_OF_ALL } from '../fleet/unknown-reason.ts';
import type { CommittedVm } from '../fleet/vm-changes.ts';
import { pagesOf } from '../pages.ts';
import { incidents } from '../schema/heals.ts';
import { vms } from '../schema/vms.ts';

/**
 * What Postgres and Temporal may disagree about; all of it, in pages. What is dated in the future counts as old: the clock that it
 * was dated by was wrong.
 */

/** Changes committed before that time that were never announced. */
export function unannouncedVms(
  { orm }: Database,
  beforeMs: number,
  nowMs: number,
): AsyncGenerator<(CommittedVm & { deleted: boolean })[]> {
  const isOld = or(lt(vms.updatedAt, new Date(beforeMs)), gt(vms.updatedAt, new Date(nowMs + MAX_AHEAD_MS)));
  return pagesOf(
    async (after: string | null, limit) => {
      const isLater = after === null ? undefined : gt(vms.id, after);
      const rows = await orm
        .select()
        .from(vms)
        .where(and(lt(vms.announcedVersion, vms.settingsVersion), isOld, isLater))
        .orderBy(asc(vms.id))
        .limit(limit);
      return rows.map((vm) => ({
        vmId: vm.id,
        tenantId: vm.tenantId,
        site: vm.site,
        name: vm.name,
        version: vm.settingsVersion,
        deleted: vm.deletedAt !== null,
      }));
    },
    ({ vmId }) => vmId,
  );
}

/** VMs registered before that time that nobody watches now: those that the API answers as `not-watched`. */
export function unwatchedVms({ pool }: Database, beforeMs: number, nowMs: number): AsyncGenerator<CommittedVm[]> {
  return pagesOf(
    async (after: string | null, limit) => {
      const { rows } = await pool.query<CommittedVm>(
        `SELECT v.id AS "vmId", v.tenant_id AS "tenantId", v.site, v.name, v.settings_version AS version
         FROM vms v JOIN vm_status s ON s.vm_id = v.id ${WATCH_OF_ALL}
         WHERE v.deleted_at IS NULL AND (v.created_at < $1 OR v.created_at > $5) AND ${unknownReason('$2::timestamptz')} = 'not-watched'
           AND ($3::uuid IS NULL OR v.id > $3) ORDER BY v.id LIMIT $4`,
        [new Date(beforeMs), new Date(nowMs), after, limit, new Date(nowMs + MAX_AHEAD_MS)],
      );
      return rows;
    },
    ({ vmId }) => vmId,
  );
}

/** An incident that is not closed. */
export interface OpenIncident {
  vmId: string;
  incident: number;
  openedAt: Date;
}

/** All incidents that are open; a VM has at most one. */
export function openIncidents({ orm }: Database): AsyncGenerator<OpenIncident[]> {
  return pagesOf(
    (after: string | null, limit) =>
      orm
        .select({ vmId: incidents.vmId, incident: incidents.incident, openedAt: incidents.openedAt })
        .from(incidents)
        .where(and(isNull(incidents.closedAt), after === null ? undefined : gt(incidents.vmId, after)))
        .orderBy(asc(incidents.vmId))
        .limit(limit),
    ({ vmId }) => vmId,
  );
}

/** Those of the ids that are VMs and not deleted, as their workflows are started. */
export function existingVms({ orm }: Database, ids: readonly string[]): AsyncGenerator<CommittedVm[]> {
  return pagesOf(
    async (after: string | null, limit) =>
      orm
        .select({ vmId: vms.id, tenantId: vms.tenantId, site: vms.site, name: vms.name, version: vms.settingsVersion })
        .from(vms)
        .where(and(inArray(vms.id, [...ids]), isNull(vms.deletedAt), after === null ? undefined : gt(vms.id, after)))
        .orderBy(asc(vms.id))
        .limit(limit),
    ({ vmId }) => vmId,
  );
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
