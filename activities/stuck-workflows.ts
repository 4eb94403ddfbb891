import {
  eventfulVmIds,
  findSettledHealth,
  findStuckWorkflows,
  recordStuckWorkflows,
} from '../db/upkeep/stuck-workflows.ts';
import { vmIdOfWorkflow, vmWorkflowId } from '../domain/ids.ts';
import type { Dependencies, InspectedWorkflow } from './dependencies.ts';
import { noticesOf } from './notices.ts';

/**
 * Longer than the time between a few runs of reconcile. What has been stuck for longer is stored as stuck, or its VM is not
 * watched.
 */
const LATELY_MS = 3 * 60_000;
/** A change of health is delivered to the VM's workflow within moments. */
const DELIVERED_MS = 60_000;
const MAX_NAMED = 5;

/** Whether a workflow can't go on because its tasks fail, as on a build that can't replay it, or one of its activities. */
export function isFailing({ isRunning, failsTasks }: InspectedWorkflow): boolean {
  return isRunning && failsTasks;
}

/**
 * Gives notice of workflows that can't go on, and answers how many those are: the given ones and, of all that were stuck before
 * or had something to do lately, those whose tasks fail or that do not know their VM's health of a minute ago. Other workflows
 * are not asked about: asking about every VM each minute would cost as much as its looks.
 */
export async function noticeStuckWorkflows(deps: Dependencies, found: readonly string[]): Promise<number> {
  const stuck = new Set(found);
  const remembered = await findStuckWorkflows(deps.database.pool);
  for (const id of await stuckAmong(deps, remembered?.ids ?? [])) stuck.add(id);
  for await (const vmIds of eventfulVmIds(deps.database.pool, deps.now() - LATELY_MS)) {
    for (const id of await stuckAmong(deps, vmIds.map(vmWorkflowId))) stuck.add(id);
  }
  const ids = [...stuck];
  await recordStuckWorkflows(deps.database.pool, ids, deps.now());
  const some = ids.slice(0, MAX_NAMED).join(', ');
  const message = `Workflows can't go on, because their tasks or activities fail or nothing is delivered to them: ${ids.length} (${some}). See docs/upgrading.md.`;
  const about = ids.length === 0 ? [] : [{ subject: 'workflows', tenantId: null, vmId: null, message }];
  await noticesOf(deps, 'workflows-stuck', about);
  return ids.length;
}

async function stuckAmong({ database, temporal, now }: Dependencies, workflowIds: string[]): Promise<string[]> {
  const vmIds = workflowIds.flatMap((id) => vmIdOfWorkflow(id) ?? []);
  // read before the workflows are asked about, so that a change meanwhile does not count
  const settled = await findSettledHealth(database.pool, vmIds, now() - DELIVERED_MS);
  const inspected = await temporal.inspect(workflowIds);
  return inspected
    .filter((one) => {
      const health = settled.get(vmIdOfWorkflow(one.workflowId) ?? '');
      // one that was resumed a moment ago says `paused` until its first look
      const knows = one.vmStatus === health || one.vmStatus === 'paused';
      return isFailing(one) || (one.isRunning && health !== undefined && !knows);
    })
    .map(({ workflowId }) => workflowId);
}
