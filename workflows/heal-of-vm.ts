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
import type { healVm } from './heal-vm.ts';
import { HEAL_SIGNAL, type HealInput, type HealNews, WORKFLOW } from './messages.ts';
import type { VmState } from './vm-state.ts';

const { openIncident } = proxyActivities<HealActivities>({
  startToCloseTimeout: '30 seconds',
  retry: { maximumInterval: '10 seconds' },
  summary: 'opens an incident',
});

/** Opens an incident and starts its heal, or finds the ones that are open already. */
export async function openHeal(vm: VmState): Promise<void> {
  const incident = await incidentOf(vm);
  if (incident === null) return;
  vm.incident = incident;
  const input: HealInput = { vmId: vm.vmId, tenantId: vm.tenantId, site: vm.site, incident };
  try {
    await startChild<typeof healVm>(WORKFLOW.healVm, {
      workflowId: healWorkflowId(vm.vmId, incident),
      args: [input],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
      staticSummary: `heals incident ${incident}`,
      priority: { priorityKey: 1, fairnessKey: vm.tenantId },
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    // it may have been paused by an earlier run of this workflow, or wait for news that nobody was there to tell
    await tellHeal(vm, 'resumed');
  }
}

/** Null when it can't be opened: then the next look says again that the VM is ill. */
async function incidentOf(vm: VmState): Promise<number | null> {
  try {
    return (await openIncident({ vmId: vm.vmId })).incident;
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error;
    log.warn('no incident could be opened', { error: String(error.cause) });
    return null;
  }
}

/** Tells the heal, if one is open. A heal that is over answers not found: then there is none. */
export async function tellHeal(vm: VmState, what: HealNews['what']): Promise<void> {
  if (vm.incident === null) return;
  const heal = getExternalWorkflowHandle(healWorkflowId(vm.vmId, vm.incident));
  try {
    await heal.signal(HEAL_SIGNAL.news, { what } satisfies HealNews);
  } catch (error) {
    log.info('the heal is over', { incident: vm.incident, error: String(error) });
    vm.incident = null;
  }
}
