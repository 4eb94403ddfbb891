import { ActivityFailure, WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  getExternalWorkflowHandle,
  log,
  ParentClosePolicy,
  proxyActivities,
  startChild,
  WorkflowIdReusePolicy,
} from '@temporalio/workflow';
import type { HealActivities } from '../activities/contract.ts';
import { healWorkflowId } from '../domain/ids.ts';
import { asSummary, healSummary } from '../domain/summaries.ts';
import type { healVm } from './heal-vm.ts';
import { type HealInput, type HealNews, healSignals, WORKFLOW } from './messages.ts';
import { memoOf } from './on-record.ts';
import { VM_NAME } from './search-attributes.ts';

/* What workflow `vm/<vmId>` does about its VM's heals: opens an incident, starts its heal, and notifies it. */

/** Opens an incident, or finds the open one. Null when neither can be done now. */
export async function openIncident(vmId: string, why: string): Promise<number | null> {
  // limited in time, because nobody looks at the VM meanwhile
  const incidents = proxyActivities<HealActivities>({
    startToCloseTimeout: '10 seconds',
    scheduleToCloseTimeout: '30 seconds',
    summary: asSummary(`opens an incident: ${why}`),
  });
  try {
    return (await incidents.openIncident({ vmId })).incident;
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error;
    log.warn('no incident could be opened', { error: String(error.cause) });
    return null;
  }
}

/** Starts the heal of an incident; false when it runs already. */
export async function startHeal(input: HealInput): Promise<boolean> {
  try {
    await startChild<typeof healVm>(WORKFLOW.healVm, {
      workflowId: healWorkflowId(input.vmId, input.incident),
      args: [input],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
      staticSummary: healSummary(input.name ?? null, input.incident),
      ...memoOf(input.name),
      ...(input.name === undefined ? {} : { typedSearchAttributes: [{ key: VM_NAME, value: input.name }] }),
      priority: { priorityKey: 1, fairnessKey: input.tenantId },
    });
    return true;
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    return false;
  }
}

/** Signals the heal of an incident; false when it is over. */
export async function signalHeal(vmId: string, incident: number, what: HealNews['what']): Promise<boolean> {
  try {
    await getExternalWorkflowHandle(healWorkflowId(vmId, incident)).signal(healSignals.news, { what });
    return true;
  } catch (error) {
    log.info('the heal is over', { incident, error: String(error) });
    return false;
  }
}
