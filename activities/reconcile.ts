import { and, eq, gte, inArray, isNull, lt, or, sql } from 'drizzle-orm';
import { findUnwatchedSites } from '../db/fleet/fleet-counts.ts';
import { recordIncidentClosed } from '../db/heals/incidents.ts';
import { findOperationsOf, recordHealResult } from '../db/heals/operations.ts';
import { checkConfigs } from '../db/schema/checks.ts';
import { incidents } from '../db/schema/heals.ts';
import { vmStatus, vms } from '../db/schema/vms.ts';
import { recordMended, recordUnwatchedSites } from '../db/upkeep/reconcile-notes.ts';
import { healWorkflowId, vmWorkflowId } from '../domain/ids.ts';
import type { Dependencies } from './dependencies.ts';
import { resolveOperation } from './heal/carry-out.ts';

/** What is younger than this may still be under way, and is left alone. */
const SETTLED_MS = 60_000;
const MAX_AT_ONCE = 500;

/**
 * Finds what Postgres and Temporal disagree about and mends it: changes that were never announced, VMs that nobody
 * watches because their workflow is gone, heals that are gone, workflows without a VM. In a healthy system it mends
 * nothing.
 */
export async function reconcile(deps: Dependencies): Promise<{ line: string; mended: number }> {
  const counts = {
    announced: await announceChanges(deps),
    watched: await watchAgain(deps),
    heals: await closeLostHeals(deps),
    retired: await retireOrphans(deps),
  };
  const mended = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const line = Object.entries(counts)
    .map(([what, count]) => `${what} ${count}`)
    .join(', ');
  if (mended > 0) {
    await recordMended(deps.database.pool, mended, deps.now());
    deps.log.warn(counts, 'reconciled what Postgres and Temporal disagreed about');
  }
  await alertUnwatchedSites(deps);
  return { line, mended };
}

/** One alert per site, however many of its VMs nobody watches, and one when they are watched again. */
async function alertUnwatchedSites(deps: Dependencies): Promise<void> {
  const { pool } = deps.database;
  const unwatched = await findUnwatchedSites(pool, deps.now());
  const { lost, found } = await recordUnwatchedSites(
    pool,
    unwatched.map(({ site }) => site),
    deps.now(),
  );
  for (const { site, count } of unwatched.filter((one) => lost.includes(one.site))) {
    deps.log.error({ site, vms: count }, 'nobody watches VMs of a site: see that a worker for it runs');
  }
  for (const site of found) deps.log.warn({ site }, 'the VMs of a site are watched again');
}

async function announceChanges(deps: Dependencies): Promise<number> {
  const rows = await deps.database.orm
    .select()
    .from(vms)
    .where(and(lt(vms.announcedVersion, vms.settingsVersion), lt(vms.updatedAt, new Date(deps.now() - SETTLED_MS))))
    .limit(MAX_AT_ONCE);
  let announced = 0;
  for (const vm of rows) {
    const told =
      vm.deletedAt === null ? await deps.temporal.announce(subjectOf(vm)) : await deps.temporal.retire(vm.id);
    if (!told) continue;
    announced++;
    await deps.database.orm
      .update(vms)
      .set({ announcedVersion: sql`greatest(${vms.announcedVersion}, ${vm.settingsVersion})` })
      .where(eq(vms.id, vm.id));
  }
  return announced;
}

/** VMs whose last look is overdue and whose workflow isn't there. A look that is paused or waits for a worker is not ours. */
async function watchAgain(deps: Dependencies): Promise<number> {
  const overdue = sql`${vmStatus.lastLookAt} IS NULL OR ${vmStatus.lastLookAt} < ${new Date(deps.now() - SETTLED_MS)}::timestamptz
    - 4 * (SELECT coalesce(max(${checkConfigs.intervalSeconds}), 60) FROM ${checkConfigs}
           WHERE ${checkConfigs.vmId} = ${vms.id} AND ${checkConfigs.enabled}) * interval '1 second'`;
  const rows = await deps.database.orm
    .select({ vm: vms })
    .from(vms)
    .innerJoin(vmStatus, eq(vmStatus.vmId, vms.id))
    .where(and(isNull(vms.deletedAt), lt(vms.createdAt, new Date(deps.now() - SETTLED_MS)), sql`(${overdue})`))
    .limit(MAX_AT_ONCE);
  let started = 0;
  for (const { vm } of rows) {
    if (await deps.temporal.isRunning(vmWorkflowId(vm.id))) continue;
    if (await deps.temporal.announce(subjectOf(vm))) started++;
  }
  return started;
}

async function closeLostHeals(deps: Dependencies): Promise<number> {
  const rows = await deps.database.orm
    .select()
    .from(incidents)
    .where(and(isNull(incidents.closedAt), lt(incidents.openedAt, new Date(deps.now() - SETTLED_MS))))
    .limit(MAX_AT_ONCE);
  let closed = 0;
  for (const { vmId, incident } of rows) {
    if (await deps.temporal.isRunning(healWorkflowId(vmId, incident))) continue;
    await settleOperations(deps, vmId, incident);
    await recordIncidentClosed(deps.database.orm, vmId, incident, 'heal-lost', deps.now());
    await deps.temporal.healEnded(vmId, incident);
    closed++;
  }
  return closed;
}

/** Nobody is left to end and judge what a lost heal had started. */
async function settleOperations(deps: Dependencies, vmId: string, incident: number): Promise<void> {
  const { orm } = deps.database;
  for (const { id } of await findOperationsOf(orm, vmId, incident)) {
    await resolveOperation(deps, id, 'never sent: its heal was lost');
    const errorMessage = 'its heal was lost before the VM was seen healthy';
    await recordHealResult(orm, id, { result: 'failed', errorMessage, atMs: deps.now() });
  }
}

/**
 * Workflows without a VM. To list all of them every minute holds up the looks of that moment: they are counted, and listed only
 * when there are more of them than VMs. A missing workflow may hide one too many until it is there again.
 */
async function retireOrphans(deps: Dependencies): Promise<number> {
  const settledMs = deps.now() - SETTLED_MS;
  if ((await deps.temporal.countWatched(settledMs)) <= (await countVms(deps, settledMs))) return 0;
  let retired = 0;
  for await (const ids of deps.temporal.watchedVmIds(settledMs)) {
    const live = await deps.database.orm
      .select({ id: vms.id })
      .from(vms)
      .where(and(inArray(vms.id, ids), isNull(vms.deletedAt)));
    const known = new Set(live.map((row) => row.id));
    for (const id of ids) {
      if (known.has(id)) continue;
      if (await deps.temporal.retire(id)) retired++;
    }
  }
  return retired;
}

/** VMs whose workflow may be there: registered before that time, and not deleted by then. */
async function countVms({ database }: Dependencies, beforeMs: number): Promise<number> {
  const before = new Date(beforeMs);
  return database.orm.$count(
    vms,
    and(lt(vms.createdAt, before), or(isNull(vms.deletedAt), gte(vms.deletedAt, before))),
  );
}

function subjectOf(vm: typeof vms.$inferSelect): { vmId: string; tenantId: string; site: string; version: number } {
  return { vmId: vm.id, tenantId: vm.tenantId, site: vm.site, version: vm.settingsVersion };
}
