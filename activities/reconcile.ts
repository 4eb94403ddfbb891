import { recordAnnounced } from '../db/fleet/vm-changes.ts';
import { recordIncidentClosed } from '../db/heals/incidents.ts';
import { findOperationsOf, recordOperationEvent } from '../db/heals/operations.ts';
import {
  countVmsAt,
  findExistingVmIds,
  findOpenIncidents,
  findOverdue,
  findUnannounced,
} from '../db/upkeep/disagreements.ts';
import { recordMended } from '../db/upkeep/reconcile-notes.ts';
import { healWorkflowId, vmWorkflowId } from '../domain/ids.ts';
import type { Dependencies } from './dependencies.ts';
import { noticeFleet } from './fleet-notices.ts';
import { resolveOperation } from './heal/resolve-operation.ts';
import { noticeStuckWorkflows } from './stuck-workflows.ts';

/** What is younger than this may still be under way, and is left alone. */
const SETTLED_MS = 60_000;
const MAX_AT_ONCE = 500;

/**
 * Finds what Postgres and Temporal disagree about and mends it: changes that were never announced, VMs that nobody
 * watches because their workflow is gone, heals that are gone, workflows without a VM. In a healthy system it mends
 * nothing. What it can't mend it gives notice of: sites that nobody watches, workflows that can't go on.
 */
export async function reconcile(deps: Dependencies): Promise<{ line: string; mended: number }> {
  const settledMs = deps.now() - SETTLED_MS;
  const counts = {
    announced: await announceChanges(deps, settledMs),
    watched: await watchAgain(deps, settledMs),
    heals: await closeLostHeals(deps, settledMs),
    retired: await retireOrphans(deps, settledMs),
  };
  const mended = Object.values(counts).reduce((sum, count) => sum + count, 0);
  if (mended > 0) {
    await recordMended(deps.database.pool, mended, deps.now());
    deps.log.warn(counts, 'reconciled what Postgres and Temporal disagreed about');
  }
  await noticeFleet(deps);
  const stuck = await noticeStuckWorkflows(deps);
  const line = Object.entries({ ...counts, stuck })
    .map(([what, count]) => `${what} ${count}`)
    .join(', ');
  return { line, mended };
}

async function announceChanges({ database, temporal }: Dependencies, settledMs: number): Promise<number> {
  let announced = 0;
  for (const { deleted, ...vm } of await findUnannounced(database, settledMs, MAX_AT_ONCE)) {
    if (!(deleted ? await temporal.retire(vm.vmId) : await temporal.announce(vm))) continue;
    await recordAnnounced(database.pool, vm.vmId, vm.version);
    announced++;
  }
  return announced;
}

/**
 * VMs whose last look is overdue and whose workflow isn't there. Where the workflow is there, starting it again would not help:
 * its look is paused or waits for a worker.
 */
async function watchAgain({ database, temporal }: Dependencies, settledMs: number): Promise<number> {
  let started = 0;
  for (const vm of await findOverdue(database, settledMs, MAX_AT_ONCE)) {
    if (await temporal.isRunning(vmWorkflowId(vm.vmId))) continue;
    if (await temporal.announce(vm)) started++;
  }
  return started;
}

async function closeLostHeals(deps: Dependencies, settledMs: number): Promise<number> {
  let closed = 0;
  for (const { vmId, incident } of await findOpenIncidents(deps.database, settledMs, MAX_AT_ONCE)) {
    if (await deps.temporal.isRunning(healWorkflowId(vmId, incident))) continue;
    await settleOperations(deps, vmId, incident);
    await recordIncidentClosed(deps.database.orm, vmId, incident, 'heal-lost', deps.now());
    await deps.temporal.healEnded(vmId, incident);
    closed++;
  }
  return closed;
}

/** Ends and judges the operations of a lost heal: its workflow, which would do that, is gone. */
async function settleOperations(deps: Dependencies, vmId: string, incident: number): Promise<void> {
  const { orm } = deps.database;
  const errorMessage = 'its heal was lost before the VM was seen healthy';
  for (const { id } of await findOperationsOf(orm, vmId, incident)) {
    await resolveOperation(deps, id, { whyNotSent: 'never sent: its heal was lost' });
    await orm.transaction((tx) =>
      recordOperationEvent(tx, id, { kind: 'judged', result: 'failed', errorMessage }, deps.now()),
    );
  }
}

/**
 * Workflows without a VM. Listing all workflows every minute would delay looks: they are counted, and listed only when there
 * are more of them than VMs. As long as a VM lacks its workflow, one without a VM may go unnoticed.
 */
async function retireOrphans({ database, temporal }: Dependencies, settledMs: number): Promise<number> {
  if ((await temporal.countWatched(settledMs)) <= (await countVmsAt(database, settledMs))) return 0;
  let retired = 0;
  for await (const ids of temporal.watchedVmIds(settledMs)) {
    const existing = await findExistingVmIds(database, ids);
    for (const id of ids) {
      if (!existing.has(id) && (await temporal.retire(id))) retired++;
    }
  }
  return retired;
}
