import { findOpenIncidents, findOverdue } from '../db/upkeep/disagreements.ts';
import { findEventfulVmIds, findStuckWorkflows, recordStuckWorkflows } from '../db/upkeep/stuck-workflows.ts';
import { healWorkflowId, vmWorkflowId } from '../domain/ids.ts';
import type { Dependencies } from './dependencies.ts';
import { noticesOf } from './notices.ts';

/**
 * Longer than the time between a few runs of reconcile. What has been stuck for longer is in the open notice, or its VM's look
 * is overdue.
 */
const LATELY_MS = 3 * 60_000;
const MAX_OF_A_KIND = 200;
const MAX_NAMED = 5;

/**
 * Gives notice of workflows that can't go on because their tasks fail, as those of a build do that can't replay them, and
 * answers how many those are. Only those that had something to do lately are asked about: a server before 1.30 can't be
 * asked which workflows fail, and asking about every VM each minute would cost as much as its looks.
 */
export async function noticeStuckWorkflows(deps: Dependencies): Promise<number> {
  const stuck = await deps.temporal.findStuck(await findWorkflowsWithWork(deps));
  await recordStuckWorkflows(deps.database.pool, stuck, deps.now());
  const some = stuck.slice(0, MAX_NAMED).join(', ');
  const message = `Workflows can't go on, because their tasks fail: ${stuck.length} (${some}). See docs/upgrading.md.`;
  const found = stuck.length === 0 ? [] : [{ subject: 'workflows', tenantId: null, vmId: null, message }];
  await noticesOf(deps, 'workflows-stuck', found);
  return stuck.length;
}

async function findWorkflowsWithWork({ database, now }: Dependencies): Promise<string[]> {
  const remembered = await findStuckWorkflows(database.pool);
  const incidents = await findOpenIncidents(database, now(), MAX_OF_A_KIND);
  const eventful = await findEventfulVmIds(database.pool, now() - LATELY_MS, MAX_OF_A_KIND);
  const overdue = await findOverdue(database, now(), MAX_OF_A_KIND);
  const vmIds = [incidents.map(({ vmId }) => vmId), eventful, overdue.map(({ vmId }) => vmId)].flat();
  const heals = incidents.map(({ vmId, incident }) => healWorkflowId(vmId, incident));
  return [...new Set([...(remembered?.ids ?? []), ...heals, ...vmIds.map(vmWorkflowId)])];
}
