import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import type { TemporalPort } from '../activities/dependencies.ts';
import { CORE_TASK_QUEUE, isUuid, vmWorkflowId } from '../domain/ids.ts';
import {
  type HealEnded,
  type SettingsChanged,
  VM_SIGNAL,
  type VmHealthInput,
  WORKFLOW,
} from '../workflows/messages.ts';

const PAGE = 500;

/** The real `TemporalPort`, on a client of one namespace. */
export function createTemporalPort(client: Client): TemporalPort {
  async function signal(vmId: string, name: string, ...args: unknown[]): Promise<void> {
    await unlessNotFound(client.workflow.getHandle(vmWorkflowId(vmId)).signal(name, ...args));
  }
  return {
    async announce({ vmId, tenantId, site, version }) {
      const input: VmHealthInput = { vmId, tenantId, site };
      const changed: SettingsChanged = { version, site, lookSooner: false };
      await client.workflow.signalWithStart(WORKFLOW.vmHealth, {
        workflowId: vmWorkflowId(vmId),
        taskQueue: CORE_TASK_QUEUE,
        args: [input],
        signal: VM_SIGNAL.settingsChanged,
        signalArgs: [changed],
      });
    },
    retire: (vmId) => signal(vmId, VM_SIGNAL.retire),
    healEnded: (vmId, incident) => signal(vmId, VM_SIGNAL.healEnded, { incident } satisfies HealEnded),
    async isRunning(workflowId) {
      const described = await unlessNotFound(client.workflow.getHandle(workflowId).describe());
      return described?.status.name === 'RUNNING';
    },
    async *watchedVmIds(startedBeforeMs) {
      const before = new Date(startedBeforeMs).toISOString();
      const query = `WorkflowType='${WORKFLOW.vmHealth}' AND ExecutionStatus='Running' AND StartTime < '${before}'`;
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

async function unlessNotFound<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}
