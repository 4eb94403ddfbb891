import { recordAnnounced } from '../db/fleet/vm-changes.ts';
import { recordIncidentClosed } from '../db/heals/incidents.ts';
import { findOperationsOf, recordOperationEvent } from '../db/heals/operations.ts';
import { addToCount } from '../db/upkeep/counts.ts';
import {
  countVmsAt,
  existingVms,
  findExistingVmIds,
  type OpenIncident,
  openIncidents,
  unannouncedVms,
  unwatchedVms,
} from '../db/upkeep/disagreements.ts';
import { healWorkflowId, vmWorkflowId } from '../domain/ids.ts';
import type { Dependencies } from './dependencies.ts';
import { noticeFleet } from './fleet-notices.ts';
import { resolveOperation } from './heal/resolve-operation.ts';
import { isFailing, noticeStuckWorkflows } from './stuck-workflows.ts';

/** What is younger than this may still be under way, and is left alone. */
const SETTLED_MS = 60_000;

/**
 * Finds what Postgres and Temporal disagree about and repairs it: changes that were never announced, VMs whose workflow was
 * just closed, VMs that nobody watches because their workflow is gone, heals that are gone, workflows without a VM. In a healthy
 * system it repairs nothing. It gives notice of what it can't repair: sites that nobody watches, workflows that can't go on.
 * @throws the first error that it met, once all else is done.
 */
export async function reconcile(deps: Dependencies): Promise<{ line: string; mended: number }> {
  const settledMs = deps.now() - SETTLED_MS;
  const stuck: string[] = [];
  const failures: unknown[] = [];
  /** What fails does not keep the rest from its turn. */
  async function done(step: Promise<number>): Promise<number> {
    try {
      return await step;
    } catch (error) {
      failures.push(error);
      return 0;
    }
  }
  const counts = {
    announced: await done(announceChanges(deps, settledMs)),
    watched: (await done(watchClosed(deps))) + (await done(watchAgain(deps, settledMs, stuck))),
    heals: await done(closeLostHeals(deps, settledMs, stuck)),
    retired: await done(retireOrphans(deps, settledMs)),
  };
  const mended = Object.values(counts).reduce((sum, count) => sum + count, 0);
  if (mended > 0) {
    await addToCount(deps.database.pool, 'reconcile.mended', mended, deps.now());
    deps.log.warn(counts, 'reconciled what Postgres and Temporal disagreed about');
  }
  await noticeFleet(deps);
  const line = Object.entries({ ...counts, stuck: await noticeStuckWorkflows(deps, stuck) })
    .map(([what, count]) => `${what} ${count}`)
    .join(', ');
  if (failures.length > 0) throw failures[0];
  return { line, mended };
}

async function announceChanges({ database, temporal, now }: Dependencies, settledMs: number): Promise<number> {
  let announced = 0;
  for await (const page of unannouncedVms(database, settledMs, now())) {
    for (const { deleted, ...vm } of page) {
      if (!(deleted ? await temporal.retire(vm.vmId) : await temporal.announce(vm))) continue;
      await recordAnnounced(database.pool, vm.vmId, vm.version);
      announced++;
    }
  }
  return announced;
}

/**
 * Longer than the time between a few runs, so that one that was missed, or a clock that differs, leaves no gap. VMs that are to be
 * looked at are found later all the same, because nobody looks at them.
 */
const JUST_CLOSED_MS = 5 * 60_000;
const MAX_CLOSED = 5_000;

/** VMs whose workflow was closed just now although they are not deleted: a person terminated it, or sent `retire`. */
async function watchClosed({ database, temporal, now }: Dependencies): Promise<number> {
  const closed = await temporal.closedVmIds(now() - JUST_CLOSED_MS, MAX_CLOSED);
  let started = 0;
  for await (const page of existingVms(database, closed)) {
    const workflows = await temporal.inspect(page.map(({ vmId }) => vmWorkflowId(vmId)));
    for (const [index, { isRunning }] of workflows.entries()) {
      const vm = page[index];
      if (vm && !isRunning && (await temporal.announce(vm))) started++;
    }
  }
  return started;
}

/**
 * VMs that nobody watches and whose workflow isn't there, or does nothing: it may hold its VM for paused, which the database does
 * not (any more, after a restore). Where the workflow is looking, starting it again would not help: its look is paused or waits
 * for a worker.
 */
async function watchAgain(deps: Dependencies, settledMs: number, stuck: string[]): Promise<number> {
  const { database, temporal, now } = deps;
  let started = 0;
  for await (const page of unwatchedVms(database, settledMs, now())) {
    const workflows = await temporal.inspect(page.map(({ vmId }) => vmWorkflowId(vmId)));
    for (const [index, workflow] of workflows.entries()) {
      const vm = page[index];
      if (isFailing(workflow)) stuck.push(workflow.workflowId);
      else if (vm && (!workflow.isRunning || workflow.isIdle) && (await temporal.announce(vm))) started++;
    }
  }
  return started;
}

async function closeLostHeals(deps: Dependencies, settledMs: number, stuck: string[]): Promise<number> {
  let closed = 0;
  for await (const page of openIncidents(deps.database)) {
    const heals = await deps.temporal.inspect(page.map(({ vmId, incident }) => healWorkflowId(vmId, incident)));
    for (const [index, heal] of heals.entries()) {
      const incident = page[index];
      if (isFailing(heal)) stuck.push(heal.workflowId);
      if (!incident || heal.isRunning || incident.openedAt.getTime() >= settledMs) continue;
      await closeLost(deps, incident);
      closed++;
    }
  }
  return closed;
}

async function closeLost(deps: Dependencies, { vmId, incident }: OpenIncident): Promise<void> {
  await settleOperations(deps, vmId, incident);
  // before it is closed: a VM's workflow that never hears of it wants no other heal, and closed incidents are not found again
  await deps.temporal.healEnded(vmId, incident);
  await recordIncidentClosed(deps.database.orm, vmId, incident, 'heal-lost', deps.now());
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
