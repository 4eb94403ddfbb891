import {
  ActivityCancellationType,
  condition,
  continueAsNew,
  proxyActivities,
  setCurrentDetails,
  workflowInfo,
} from '@temporalio/workflow';
import type { UpkeepActivities } from '../activities/contract.ts';
import { RECONCILE_WORKFLOW_ID } from '../domain/ids.ts';
import { asSummary } from '../domain/summaries.ts';
import { pollUntil } from './polled-activity.ts';

const UPKEEP = { startToCloseTimeout: '5 minutes', priority: { priorityKey: 5 } } as const;

const once = proxyActivities<UpkeepActivities>({
  ...UPKEEP,
  retry: { maximumInterval: '1 minute', maximumAttempts: 5 },
});

/** Started daily by schedule `retain`: keeps as much history as the settings say. */
export async function retain(): Promise<string> {
  return (await once.applyRetention()).line;
}

/**
 * Repairs what Postgres and Temporal disagree about. Workflow `reconcile`, which workers start wherever it does not run, does so
 * every minute. One of another id, as a person or the schedule of 0.1 starts it, does so once.
 */
export async function reconcile(): Promise<string> {
  if (!goesOn()) return (await once.reconcile()).line;
  return reconcileForADay();
}

/** Whether this run of `reconcile` is the one that goes on for ever. */
export function goesOn(): boolean {
  return workflowInfo().workflowId === RECONCILE_WORKFLOW_ID;
}

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/**
 * By one activity whose retries are the minutes, so that where nothing is repaired no history is written. A run lasts a day: then a
 * new one begins, with what is new in the code.
 */
async function reconcileForADay(): Promise<never> {
  const untilMs = Date.now() + DAY_MS;
  let last = 'nothing was repaired yet by this run';
  setCurrentDetails(last);
  while (Date.now() < untilMs) {
    const { reconcile: everyMinute } = proxyActivities<UpkeepActivities>({
      ...UPKEEP,
      activityId: 'reconcile',
      summary: asSummary(`each retry is a minute's run; ${last}`),
      // when a worker is lost, another one takes over after this time
      heartbeatTimeout: '30 seconds',
      // only what failed waits by these; a run that repaired nothing names the next minute itself
      retry: { initialInterval: '10 seconds', backoffCoefficient: 1 },
      cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    });
    const ended = await pollUntil(
      () => everyMinute({ everyMs: MINUTE_MS }),
      () => false,
      untilMs - Date.now(),
    );
    if ('kind' in ended && ended.kind === 'cancelled') break;
    last = `${new Date(Date.now()).toISOString()}: ${'line' in ended ? ended.line : ended.message}`;
    setCurrentDetails(last);
    await condition(() => false, MINUTE_MS, { summary: 'until the next minute' });
  }
  return continueAsNew<typeof reconcile>();
}
