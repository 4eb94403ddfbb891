import type { Client } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { vmWorkflowId } from '../../../domain/ids.ts';

/** What the Web UI shows of a VM's workflow: its state, the status it can be found by, and the last look's line. */
export async function watchOf(client: Client, vmId: string) {
  const described = await client.workflow.getHandle(vmWorkflowId(vmId)).describe();
  const pending = described.raw.pendingActivities ?? [];
  return {
    status: described.status.name,
    runId: described.runId,
    vmStatus: described.searchAttributes['VmStatus']?.[0],
    pending: pending.map(({ activityId }) => activityId),
    line: pending[0]?.lastFailure?.message ?? null,
  };
}

/** Every status that a VM's workflow wrote into its history, in order. */
export async function statusesOnRecord(client: Client, workflowId: string): Promise<string[]> {
  const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
  return (events ?? []).flatMap((event) => {
    const upserted = event.upsertWorkflowSearchAttributesEventAttributes?.searchAttributes?.indexedFields?.['VmStatus'];
    return upserted ? [defaultPayloadConverter.fromPayload<string>(upserted)] : [];
  });
}
