/**
 * The life of an operation, one attempt at one remedy: intended → sent → done, or → abandoned when it is known not to have
 * been sent. Beside its state it has a result, which says whether it helped.
 */
export type OperationState = 'intended' | 'sent' | 'done' | 'abandoned';

/** `pending` until it is judged; `skipped` = withdrawn, or found not to have been sent after it was presumed done. */
export type OperationResult = 'pending' | 'success' | 'failed' | 'skipped';

export type OperationEvent =
  /** It is about to be sent: whoever makes this move may send, nobody else. */
  | { kind: 'sent' }
  /**
   * It was carried out, or (`presumed`) may have been. `conclusive`: no look can judge it, so being done is its success.
   */
  | { kind: 'done'; detail: string; conclusive: boolean; presumed: boolean }
  /** It is known that nothing was sent after all: its sender says so, or the hypervisor. */
  | { kind: 'not-sent'; detail: string }
  /** Anybody else stops it from being sent, which works only before it is `sent`. */
  | { kind: 'withdrawn'; detail: string; result: 'failed' | 'skipped' }
  /** Looks that began after it, or their absence, say whether it helped. */
  | { kind: 'judged'; result: 'success' | 'failed'; errorMessage: string | null };

/** What changes of an operation; times in epoch ms. */
export interface OperationStatus {
  state: OperationState;
  /** Done, but perhaps never sent: its sender may still say that nothing was. */
  presumed: boolean;
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
      // whatever was made of it meanwhile, it was no attempt
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
