import { ActivityCancellationType, proxyActivities } from '@temporalio/workflow';
import type { LookInput, LookNews, WatchActivities } from '../activities/contract.ts';
import { siteTaskQueue } from '../domain/ids.ts';
import { type PollEnding, pollUntil } from './polled-activity.ts';

export interface WatchOptions {
  site: string;
  tenantId: string;
  /** Of one attempt, ms. */
  lookLimitMs: number;
  /** An ill VM's looks come before healthy ones' when workers are short. */
  ill: boolean;
  /** What the Web UI's event list says of it. */
  summary: string;
}

/** How a `watch` activity ended: with news, because it was cancelled, or in a way that is never expected. */
export type LookEnding = LookNews | PollEnding;

const ILL = 2;
const ORDINARY = 3;

/**
 * Watches a VM by one activity whose retries are the looks, until there is news or `cancelled` answers true. Its id is
 * guessable: `temporal activity pause -w vm/<id> --activity-id watch`.
 */
export async function watchUntil(
  cancelled: () => boolean,
  input: LookInput,
  { site, tenantId, lookLimitMs, ill, summary }: WatchOptions,
): Promise<LookEnding> {
  const { watch } = proxyActivities<WatchActivities>({
    activityId: 'watch',
    taskQueue: siteTaskQueue(site),
    summary,
    startToCloseTimeout: lookLimitMs,
    // backoff 1: only a killed look waits by these, a steady one names its own next tick
    retry: { initialInterval: '1 second', backoffCoefficient: 1 },
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    priority: { priorityKey: ill ? ILL : ORDINARY, fairnessKey: tenantId },
  });
  return pollUntil(() => watch(input), cancelled);
}
