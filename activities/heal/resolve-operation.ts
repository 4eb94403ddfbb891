import { findOperation, recordOperationEvent } from '../../db/heals/operations.ts';
import type { OperationEvent } from '../../domain/operation.ts';
import type { ReadBack } from '../../domain/power.ts';
import type { OperationEnd } from '../contract.ts';
import type { Dependencies } from '../dependencies.ts';
import { carriedOut, type Ending, endOperation } from './end-operation.ts';

/** What is known by now of an operation that may have been sent. */
export interface Known {
  /** What its sender said. */
  end?: OperationEnd | undefined;
  /** What the hypervisor said when nothing could be sent any more. */
  readBack?: ReadBack | null | undefined;
  /** What to record as the reason if it turns out that it was not sent. */
  whyNotSent?: string;
}

/**
 * Ends an operation of which it is not known whether it was sent, without ever sending it. If it is still `intended`, it is
 * abandoned, and can't be sent from then on. If it is `sent`, its sender or the hypervisor says how it ended; where neither can
 * tell, it is presumed to be done, and looks judge it.
 */
export async function resolveOperation(
  deps: Dependencies,
  operationId: string,
  { end, readBack, whyNotSent }: Known = {},
): Promise<OperationEnd> {
  const { orm } = deps.database;
  const senderSaid = end?.state === 'abandoned' ? end.detail : null;
  // what its sender has done was sent, even if a fail-over of the database has lost that
  if (end?.state !== 'done') {
    const why = whyNotSent ?? end?.detail ?? 'never sent: its worker was lost before';
    const withdrawal: OperationEvent = { kind: 'withdrawn', detail: why, result: 'failed' };
    const withdrawn = await orm.transaction((tx) => recordOperationEvent(tx, operationId, withdrawal, deps.now()));
    if (withdrawn !== null) return { state: 'abandoned', detail: why };
  }
  const operation = await findOperation(orm, operationId);
  if (!operation) return { state: 'abandoned', detail: 'no such operation' };
  const { state, presumed, detail } = operation;
  const known = senderSaid === null ? null : notSent(senderSaid);
  if (state === 'intended' || state === 'sent' || (presumed && known !== null)) {
    return endOperation(deps, operationId, known ?? endingOf(operation, end, readBack ?? null));
  }
  return { state: state === 'done' ? 'done' : 'abandoned', detail: detail ?? '' };
}

function endingOf(
  operation: Parameters<typeof carriedOut>[0],
  end: OperationEnd | undefined,
  readBack: ReadBack | null,
): Ending {
  if (end?.state === 'done') return carriedOut(operation, end.detail);
  switch (readBack?.verdict) {
    case 'acted':
      return carriedOut(operation, `read back at the hypervisor: ${readBack.detail}`);
    case 'not-acted':
      return notSent(`read back at the hypervisor: ${readBack.detail}`);
    default: {
      const why = readBack?.detail ?? 'nothing to read back at the hypervisor';
      return {
        kind: 'done',
        detail: `perhaps carried out (${why}): looks judge it`,
        conclusive: false,
        presumed: true,
      };
    }
  }
}

function notSent(detail: string): Ending {
  return { kind: 'not-sent', detail };
}
