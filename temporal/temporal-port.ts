import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import type { TemporalPort } from '../activities/dependencies.ts';
import { isUuid, vmWorkflowId } from '../domain/ids.ts';
import { vmSignals, WORKFLOW } from '../workflows/messages.ts';
import type { VmSignals } from './vm-signals.ts';

const PAGE = 500;

/** The real `TemporalPort`, on a client of one namespace. */
export function createTemporalPort(client: Client, signals: VmSignals): TemporalPort {
  return {
    announce: async (vm) => (await signals.announce({ ...vm, lookSooner: false })).ok,
    async retire(vmId) {
      const delivery = await signals.retire(vmId);
      return delivery.ok || delivery.reason === 'not-found';
    },
    async healEnded(vmId, incident) {
      await unlessNotFound(client.workflow.getHandle(vmWorkflowId(vmId)).signal(vmSignals.healEnded, { incident }));
    },
    async isRunning(workflowId) {
      const described = await unlessNotFound(client.workflow.getHandle(workflowId).describe());
      return described?.status.name === 'RUNNING';
    },
    async countWatched(startedBeforeMs) {
      return (await client.workflow.count(runningBefore(startedBeforeMs))).count;
    },
    async *watchedVmIds(startedBeforeMs) {
      const query = runningBefore(startedBeforeMs);
      let page: string[] = [];
      for await (const { workflowId } of client.workflow.list({ query, pageSize: PAGE })) {
        const vmId = workflowId.slice('vm/'.length);
        if (!isUuid(vmId)) continue;
        page.push(vmId);
        if (page.length === PAGE) {
          yield page;
          page = [];
        }
      }
      if (page.length > 0) yield page;
    },
  };
}

function runningBefore(atMs: number): string {
  const before = new Date(atMs).toISOString();
  return `WorkflowType='${WORKFLOW.vmHealth}' AND ExecutionStatus='Running' AND StartTime < '${before}'`;
}

async function unlessNotFound<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}
