import { setTimeout as sleep } from 'node:timers/promises';
import type { Transaction } from '../../db/database.ts';
import { recordStarted } from '../../db/fleet/begin-anew.ts';
import { recordStoppedOnPurpose } from '../../db/heals/heal-subject.ts';
import { lockVmOfOperation, type OperationRow, recordOperationEvent } from '../../db/heals/operations.ts';
import type { OperationEvent } from '../../domain/operation.ts';
import type { OperationEnd } from '../contract.ts';
import type { Dependencies } from '../dependencies.ts';

export type Ending = OperationEvent & { kind: 'done' | 'not-sent' | 'withdrawn' };

/** The end of an operation that was certainly carried out. One that no look can judge is a success thereby. */
export function carriedOut({ power }: Pick<OperationRow, 'power'>, detail: string): Ending {
  return { kind: 'done', detail, conclusive: power === null || power === 'stop', presumed: false };
}

/** As far as is known while it is not recorded: what was withdrawn may have been sent by somebody else. */
const STATES = { done: 'done', 'not-sent': 'abandoned', withdrawn: 'sent' } as const;

const RETRY_MS = 1_000;
const RETRIES = 300;

/**
 * Records the end of an operation as its sender knows it. Where that can't be recorded now, the answer says `unrecorded`, and
 * recording is tried again in the background: the workflow may have stopped waiting for this answer.
 */
export async function reportEnd(deps: Dependencies, operationId: string, ending: Ending): Promise<OperationEnd> {
  try {
    return await endOperation(deps, operationId, ending);
  } catch (error) {
    deps.log.warn({ operationId, ending: ending.kind, err: error }, 'the end of an operation could not be recorded');
    void recordLater(deps, operationId, ending);
    return { state: STATES[ending.kind], detail: ending.detail, unrecorded: true };
  }
}

async function recordLater(deps: Dependencies, operationId: string, ending: Ending): Promise<void> {
  for (let tries = 0; tries < RETRIES; tries++) {
    await sleep(RETRY_MS, undefined, { ref: false });
    try {
      await endOperation(deps, operationId, ending);
      return;
    } catch {
      // only the first failure is logged
    }
  }
}

/** Ends an operation; one that has ended already stays as it is. @throws (rejects) when that can't be stored */
export async function endOperation(
  deps: Pick<Dependencies, 'database' | 'now'>,
  operationId: string,
  ending: Ending,
): Promise<OperationEnd> {
  const atMs = deps.now();
  return deps.database.orm.transaction(async (tx): Promise<OperationEnd> => {
    const isDone = ending.kind === 'done';
    // `recordPurpose` changes the VM's row, and all transactions lock that row before the rows of its operations
    if (isDone) await lockVmOfOperation(tx, operationId);
    const ended = await recordOperationEvent(tx, operationId, ending, atMs);
    // an answer that comes after the doubt was resolved changes nothing
    if (ended === null) return { state: 'sent', detail: 'it had ended already' };
    if (isDone) await recordPurpose(tx, ended, atMs);
    return { state: ending.kind === 'done' ? 'done' : 'abandoned', detail: ending.detail };
  });
}

/**
 * A VM that a policy stopped is stopped on purpose, once that is certain: nobody looks at it from then on. One that was started,
 * perhaps, has its time to boot.
 */
async function recordPurpose(tx: Transaction, { vmId, power, presumed }: OperationRow, atMs: number): Promise<void> {
  if ((power === 'stop' || power === 'shutdown') && !presumed) await recordStoppedOnPurpose(tx, vmId, atMs);
  else if (power === 'start') await recordStarted(tx, vmId, atMs);
}
