import { type Client, isGrpcServiceError, ScheduleNotFoundError, ServiceError } from '@temporalio/client';
import { CORE_TASK_QUEUE, RECONCILE_WORKFLOW_ID } from '../domain/ids.ts';
import { WORKFLOW } from '../workflows/messages.ts';
import { type Circuit, TemporalAway } from './circuit.ts';

/** What 0.1 started `reconcile` with: a run a minute, all of them kept as long as heals are. */
const FORMER_SCHEDULE = 'reconcile';
const EVERY_MS = 30_000;

/**
 * Starts workflow `reconcile` unless it runs. Its id is its own, so there is one of it however many ask; one that was cancelled,
 * terminated or has failed is followed by another.
 */
export async function ensureReconciling(client: Client): Promise<void> {
  await client.workflow.start(WORKFLOW.reconcile, {
    workflowId: RECONCILE_WORKFLOW_ID,
    taskQueue: CORE_TASK_QUEUE,
    workflowIdConflictPolicy: 'USE_EXISTING',
    staticSummary: 'repairs every minute what Postgres and Temporal disagree about',
  });
}

/** Deletes the schedule by which 0.1 reconciled. */
export async function removeFormerSchedule(client: Client): Promise<void> {
  try {
    await client.schedule.getHandle(FORMER_SCHEDULE).delete();
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
  }
}

/**
 * Has workflow `reconcile` run as long as this process does, from now on; a worker has to be there for it anyway. Resolves with
 * what ends that. @throws where Temporal refuses the first start
 */
export async function keepReconciling(
  client: Client,
  circuit: Circuit,
  report: (error: unknown) => void,
  everyMs = EVERY_MS,
): Promise<() => Promise<void>> {
  // while it is there, both reconcile, which does no harm
  await removeFormerSchedule(client).catch(report);
  await ensureReconciling(client);
  let asking: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    asking = circuit
      .attempt(() => ensureReconciling(client))
      .catch((error: unknown) => {
        if (!isAway(error)) report(error);
      });
  }, everyMs);
  return async () => {
    clearInterval(timer);
    await asking;
  };
}

/** What the circuit or the client's caller has reported already. */
function isAway(error: unknown): boolean {
  return error instanceof TemporalAway || error instanceof ServiceError || isGrpcServiceError(error);
}
