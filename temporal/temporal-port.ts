import { type Client, type WorkflowHandle, WorkflowNotFoundError } from '@temporalio/client';
import { decodeApplicationFailureCategory } from '@temporalio/common';
import type { InspectedWorkflow, TemporalPort } from '../activities/dependencies.ts';
import { vmIdOfWorkflow, vmWorkflowId } from '../domain/ids.ts';
import { vmSignals, WORKFLOW } from '../workflows/messages.ts';
import type { VmSignals } from './vm-signals.ts';

const PAGE = 500;
const DESCRIBED_AT_ONCE = 20;

/**
 * A task that failed is tried again at once, so one in its second attempt is failing, or no worker takes it. The server retries
 * it for ever, from the third attempt on at growing intervals.
 */
const FAILING_FROM_ATTEMPT = 2;

/** Of an activity: tried again at growing intervals up to 10 s, it has failed for more than a minute. */
const ACTIVITY_FAILING_FROM_ATTEMPT = 10;

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
    async inspect(workflowIds) {
      const inspected: InspectedWorkflow[] = [];
      for (let from = 0; from < workflowIds.length; from += DESCRIBED_AT_ONCE) {
        const some = workflowIds.slice(from, from + DESCRIBED_AT_ONCE);
        inspected.push(...(await Promise.all(some.map((workflowId) => inspectOne(client, workflowId)))));
      }
      return inspected;
    },
    async countWatched(startedBeforeMs) {
      return (await client.workflow.count(runningBefore(startedBeforeMs))).count;
    },
    async *watchedVmIds(startedBeforeMs) {
      const query = runningBefore(startedBeforeMs);
      let page: string[] = [];
      for await (const { workflowId } of client.workflow.list({ query, pageSize: PAGE })) {
        const vmId = vmIdOfWorkflow(workflowId);
        if (vmId === null) continue;
        page.push(vmId);
        if (page.length === PAGE) {
          yield page;
          page = [];
        }
      }
      if (page.length > 0) yield page;
    },
    async closedVmIds(closedAfterMs, limit) {
      const ids = new Set<string>();
      let listed = 0;
      for await (const { workflowId } of client.workflow.list({ query: closedAfter(closedAfterMs), pageSize: PAGE })) {
        const vmId = vmIdOfWorkflow(workflowId);
        if (vmId !== null) ids.add(vmId);
        if (++listed >= limit) break;
      }
      return [...ids];
    },
  };
}

function closedAfter(atMs: number): string {
  const after = new Date(atMs).toISOString();
  const closed = ['Completed', 'Failed', 'Canceled', 'Terminated', 'TimedOut'].map((status) => `'${status}'`);
  return `WorkflowType='${WORKFLOW.vmHealth}' AND ExecutionStatus IN (${closed.join(', ')}) AND CloseTime > '${after}'`;
}

function runningBefore(atMs: number): string {
  const before = new Date(atMs).toISOString();
  return `WorkflowType='${WORKFLOW.vmHealth}' AND ExecutionStatus='Running' AND StartTime < '${before}'`;
}

async function inspectOne(client: Client, workflowId: string): Promise<InspectedWorkflow> {
  const described = await unlessNotFound(client.workflow.getHandle(workflowId).describe());
  const vmStatus = described?.searchAttributes['VmStatus']?.[0];
  const isRunning = described?.status.name === 'RUNNING';
  const { pendingWorkflowTask, pendingActivities } = described?.raw ?? {};
  return {
    workflowId,
    isRunning,
    isIdle: isRunning && pendingWorkflowTask == null && pendingActivities?.length === 0,
    failsTasks:
      (pendingWorkflowTask?.attempt ?? 0) >= FAILING_FROM_ATTEMPT || (pendingActivities ?? []).some(failsAgainAndAgain),
    vmStatus: typeof vmStatus === 'string' ? vmStatus : null,
  };
}

type Described = Awaited<ReturnType<WorkflowHandle['describe']>>;
type PendingActivity = NonNullable<Described['raw']['pendingActivities']>[number];

/** Failures that are expected are marked as such: a look that tells nothing new, a database that is away. */
function failsAgainAndAgain({ attempt, lastFailure }: PendingActivity): boolean {
  if (lastFailure == null || (attempt ?? 0) < ACTIVITY_FAILING_FROM_ATTEMPT) return false;
  return decodeApplicationFailureCategory(lastFailure.applicationFailureInfo?.category) !== 'BENIGN';
}

async function unlessNotFound<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}
