import { ActivityFailure, RetryState } from '@temporalio/common';
import {
  ActivityCancellationType,
  CancellationScope,
  condition,
  isCancellation,
  proxyActivities,
} from '@temporalio/workflow';
import type { LookInput, LookNews, WatchActivities } from '../activities/contract.ts';
import { siteTaskQueue } from '../domain/ids.ts';

export interface WatchOptions {
  site: string;
  tenantId: string;
  /** Of one attempt, ms. */
  lookLimitMs: number;
  /** An ill VM's looks come before healthy ones' when workers are short. */
  ill: boolean;
}

/** How a `watch` activity ended: with news, because it was cancelled, or in a way that is never expected. */
export type LookEnding = LookNews | { kind: 'cancelled' } | { kind: 'failed'; message: string };

const ILL = 2;
const ORDINARY = 3;

/**
 * Watches a VM by one activity whose retries are the looks, until there is news or `cancelled` answers true. Its id is
 * guessable: `temporal activity pause -w vm/<id> --activity-id watch`.
 *
 * A cancelled look is waited for: it may still end with news, and a second activity of the same id can't start before.
 */
export async function watchUntil(
  cancelled: () => boolean,
  input: LookInput,
  { site, tenantId, lookLimitMs, ill }: WatchOptions,
): Promise<LookEnding> {
  const { watch } = proxyActivities<WatchActivities>({
    activityId: 'watch',
    taskQueue: siteTaskQueue(site),
    summary:
      input.watchCloselyUntilMs === null
        ? 'looks at the VM; each retry is a look'
        : 'looks closely: a remedy was tried',
    startToCloseTimeout: lookLimitMs,
    // backoff 1: only a killed look waits by these, a steady one names its own next tick
    retry: { initialInterval: '1 second', backoffCoefficient: 1 },
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    priority: { priorityKey: ill ? ILL : ORDINARY, fairnessKey: tenantId },
  });
  const scope = new CancellationScope();
  let ending: LookEnding | undefined;
  const ended = scope
    .run(() => watch(input))
    .catch(endingOf)
    .then((how) => {
      ending = how;
      return how;
    });
  await condition(() => ending !== undefined || cancelled());
  if (ending === undefined) scope.cancel();
  return ended;
}

/**
 * A cancelled look ends in one of four ways: cancelled in backoff, at once; `Steady` with the cancellation noted as its
 * retry state; with a result, which is no error and doesn't come here; or failed in an ordinary way.
 */
function endingOf(error: unknown): LookEnding {
  if (isCancellation(error)) return { kind: 'cancelled' };
  if (error instanceof ActivityFailure && error.retryState === RetryState.CANCEL_REQUESTED) {
    return { kind: 'cancelled' };
  }
  return { kind: 'failed', message: error instanceof Error ? (error.cause ?? error).toString() : String(error) };
}
