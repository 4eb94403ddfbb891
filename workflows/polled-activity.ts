import { ActivityFailure, RetryState } from '@temporalio/common';
import { CancellationScope, condition, isCancellation } from '@temporalio/workflow';

/** How an activity whose retries are a poll ended otherwise than with its answer. */
export type PollEnding = { kind: 'cancelled' } | { kind: 'failed'; message: string };

/**
 * Waits for the answer of an activity whose retries are a poll, until `cancelled` answers true, or for so long. A cancelled one is
 * waited for: it may still answer, and a second activity of the same id can't start before.
 */
export async function pollUntil<Answer extends object>(
  poll: () => Promise<Answer>,
  cancelled: () => boolean,
  timeoutMs?: number,
): Promise<Answer | PollEnding> {
  const scope = new CancellationScope();
  let ending: Answer | PollEnding | undefined;
  const ended = scope
    .run(poll)
    .catch(endingOf)
    .then((how) => {
      ending = how;
      return how;
    });
  const isOver = () => ending !== undefined || cancelled();
  await (timeoutMs === undefined ? condition(isOver) : condition(isOver, timeoutMs));
  if (ending === undefined) scope.cancel();
  return ended;
}

/**
 * A cancelled poll ends in one of four ways: cancelled in backoff, at once; `Steady` with the cancellation noted as its retry
 * state; with a result, which is no error and doesn't come here; or failed in an ordinary way.
 */
function endingOf(error: unknown): PollEnding {
  if (isCancellation(error)) return { kind: 'cancelled' };
  if (error instanceof ActivityFailure && error.retryState === RetryState.CANCEL_REQUESTED) {
    return { kind: 'cancelled' };
  }
  return { kind: 'failed', message: error instanceof Error ? (error.cause ?? error).toString() : String(error) };
}
