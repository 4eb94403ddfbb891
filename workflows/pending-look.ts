import { ActivityFailure, RetryState } from '@temporalio/common';
import { ActivityCancellationType, CancellationScope, isCancellation, proxyActivities } from '@temporalio/workflow';
import type { LookNews, WatchActivities } from '../activities/contract.ts';
import { siteTaskQueue } from '../domain/ids.ts';
import { lookInputOf, type VmState } from './vm-state.ts';

/** How an `watch` activity ended: with news, because it was cut short, or as it never should. */
export type LookEnding = { kind: 'news'; news: LookNews } | { kind: 'cut' } | { kind: 'failed'; message: string };

/** The one activity that watches a VM. Its id is guessable: `temporal activity pause -w vm/<id> --activity-id watch`. */
export interface PendingLook {
  /** How it ended; undefined while it looks or waits for its next tick. */
  readonly ending: LookEnding | undefined;
  /** Ends it and waits until it has: a cancelled look may still have had a last word. */
  cutShort(): Promise<LookEnding>;
}

const ILL = 2;
const ORDINARY = 3;

export function startLook(vm: VmState): PendingLook {
  const { watch } = proxyActivities<WatchActivities>({
    activityId: 'watch',
    taskQueue: siteTaskQueue(vm.site),
    summary:
      vm.watchCloselyUntilMs === null ? 'looks at the VM; each retry is a look' : 'looks closely: a remedy was tried',
    startToCloseTimeout: vm.lookLimitMs,
    // backoff 1: only a killed look waits by these, a steady one names its own next tick
    retry: { initialInterval: '1 second', backoffCoefficient: 1 },
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    priority: { priorityKey: vm.status === 'healthy' ? ORDINARY : ILL, fairnessKey: vm.tenantId },
  });
  const scope = new CancellationScope();
  let ending: LookEnding | undefined;
  const ended = scope
    .run(() => watch(lookInputOf(vm)))
    .then(
      (news): LookEnding => ({ kind: 'news', news }),
      (error: unknown) => endingOf(error),
    )
    .then((how) => {
      ending = how;
      return how;
    });
  return {
    get ending() {
      return ending;
    },
    cutShort() {
      scope.cancel();
      return ended;
    },
  };
}

/**
 * A cancelled look ends in one of four ways: cancelled in backoff at once; `Steady` with the cancellation noted as its
 * retry state; with a result; or failed in an ordinary way. Results are no errors and don't come here.
 */
function endingOf(error: unknown): LookEnding {
  if (isCancellation(error)) return { kind: 'cut' };
  if (error instanceof ActivityFailure && error.retryState === RetryState.CANCEL_REQUESTED) return { kind: 'cut' };
  return { kind: 'failed', message: error instanceof Error ? (error.cause ?? error).toString() : String(error) };
}
