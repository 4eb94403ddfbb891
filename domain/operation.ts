/**
 * The life of an operation, one attempt at one remedy: intended → sent → done, or → abandoned when it is known not to have
 * been sent. Beside its state it has a result, which says whether it helped.
 */
export type OperationState = 'intended' | 'sent' | 'done' | 'abandoned';

/** `pending` until it is judged; `skipped` = withdrawn, or found not to have been sent after it was presumed done. */
export type OperationResult = 'pending' | 'success' | 'failed' | 'skipped';

export type OperationEvent =
  /** It is about to be sent: only the caller that makes this change may send. */
  | { kind: 'sent' }
  /**
   * It was carried out, or (`presumed`) may have been. `conclusive`: no look can judge it, so it is a success once it is done.
   */
  | { kind: 'done'; detail: string; conclusive: boolean; presumed: boolean }
  /** Its sender or the hypervisor says that nothing was sent. */
  | { kind: 'not-sent'; detail: string }
  /** Somebody other than its sender abandons it, which is possible only before it is `sent`. */
  | { kind: 'withdrawn'; detail: string; result: 'failed' | 'skipped' }
  /** Looks that began after it, or the lack of them, show whether it helped. */
  | { kind: 'judged'; result: 'success' | 'failed'; errorMessage: string | null };

/** What changes of an operation; times in epoch ms. */
export interface OperationStatus {
  state: OperationState;
  /** Done as far as is known; its sender may still report that nothing was sent. */
  presumed: boolean;
  /** How it ended, from the sender or the hypervisor. */
  detail: string | null;
  sentAtMs: number | null;
  endedAtMs: number | null;
  result: OperationResult;
  errorMessage: string | null;
  judgedAtMs: number | null;
}

/**
 * The operation after an event; null when the event comes too late and changes nothing. Every change of an operation
 * goes through here: one that has ended never changes its state again, and a result once given stays, unless it was only
 * presumed to be done.
 */
export function transition(before: OperationStatus, event: OperationEvent, atMs: number): OperationStatus | null {
  const ended = before.state === 'done' || before.state === 'abandoned';
  switch (event.kind) {
    case 'sent':
      return before.state === 'intended' ? { ...before, state: 'sent', sentAtMs: atMs } : null;
    case 'done': {
      if (ended) return null;
      const { detail, conclusive, presumed } = event;
      const done: OperationStatus = { ...before, state: 'done', presumed, detail, endedAtMs: atMs };
      return conclusive ? judged(done, 'success', null, atMs) : done;
    }
    case 'not-sent':
      if (!ended) return abandoned(before, 'failed', event.detail, atMs);
      // also after it was judged: it was no attempt
      return before.presumed ? abandoned({ ...before, result: 'pending' }, 'skipped', event.detail, atMs) : null;
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
  return judged({ ...status, state: 'abandoned', presumed: false, detail, endedAtMs: atMs }, result, detail, atMs);
}

function judged(
  status: OperationStatus,
  result: OperationResult,
  errorMessage: string | null,
  atMs: number,
): OperationStatus {
  return status.result === 'pending' ? { ...status, result, errorMessage, judgedAtMs: atMs } : status;
}
