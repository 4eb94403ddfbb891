/**
 * The life of an operation, one attempt at one remedy: intended → sent → done, or → abandoned when it is known not to have
 * been sent. Beside its state it has a result, which says whether it helped.
 */
export type OperationState = 'intended' | 'sent' | 'done' | 'abandoned';

/** `pending` until it is judged; `skipped` = withdrawn before it was sent. */
export type OperationResult = 'pending' | 'success' | 'failed' | 'skipped';

export type OperationEvent =
  /** It is about to be sent: whoever makes this move may send, nobody else. */
  | { kind: 'sent' }
  /** It was carried out, or may have been. `conclusive`: no look can judge it, so being done is its success. */
  | { kind: 'done'; detail: string; conclusive: boolean }
  /** Its sender knows that nothing was sent after all. */
  | { kind: 'not-sent'; detail: string }
  /** Anybody else stops it from being sent, which works only before it is `sent`. */
  | { kind: 'withdrawn'; detail: string; result: 'failed' | 'skipped' }
  /** Looks that began after it, or their absence, say whether it helped. */
  | { kind: 'judged'; result: 'success' | 'failed'; errorMessage: string | null };

/** What changes of an operation; times in epoch ms. */
export interface OperationStatus {
  state: OperationState;
  /** What was said when it ended, by whoever knew best. */
  detail: string | null;
  sentAtMs: number | null;
  endedAtMs: number | null;
  result: OperationResult;
  errorMessage: string | null;
  judgedAtMs: number | null;
}

/**
 * The operation after an event; null when the event comes too late and changes nothing. Every change of an operation
 * goes through here: an operation that has ended never changes its state again, and a result once given stays.
 */
export function transition(before: OperationStatus, event: OperationEvent, atMs: number): OperationStatus | null {
  const ended = before.state === 'done' || before.state === 'abandoned';
  switch (event.kind) {
    case 'sent':
      return before.state === 'intended' ? { ...before, state: 'sent', sentAtMs: atMs } : null;
    case 'done': {
      if (ended) return null;
      const done: OperationStatus = { ...before, state: 'done', detail: event.detail, endedAtMs: atMs };
      return event.conclusive ? judged(done, 'success', null, atMs) : done;
    }
    case 'not-sent':
      return ended ? null : abandoned(before, 'failed', event.detail, atMs);
    case 'withdrawn':
      return before.state === 'intended' ? abandoned(before, event.result, event.detail, atMs) : null;
    case 'judged':
      return before.result === 'pending' ? judged(before, event.result, event.errorMessage, atMs) : null;
  }
}

function abandoned(
  status: OperationStatus,
  result: 'failed' | 'skipped',
  detail: string,
  atMs: number,
): OperationStatus {
  return judged({ ...status, state: 'abandoned', detail, endedAtMs: atMs }, result, detail, atMs);
}

function judged(
  status: OperationStatus,
  result: OperationResult,
  errorMessage: string | null,
  atMs: number,
): OperationStatus {
  return status.result === 'pending' ? { ...status, result, errorMessage, judgedAtMs: atMs } : status;
}
