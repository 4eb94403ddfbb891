import { ApplicationFailure } from '@temporalio/common';
import { findOperation } from '../../db/heals/operations.ts';
import { findSentForMs } from '../../db/heals/sending.ts';
import type { ReadBack } from '../../domain/power.ts';
import type { Dependencies } from '../dependencies.ts';
import { reachProvider } from './reach-provider.ts';

/** After this time the sender has written, or never will. */
const SENDING_IS_OVER_MS = 3_000;
const READ_LIMIT_MS = 5_000;

/**
 * What the hypervisor says of an operation that may have been sent; null when nothing was.
 * @throws (rejects) while it may still be written: ask again
 */
export async function readBack(deps: Dependencies, operationId: string): Promise<ReadBack | null> {
  const { orm } = deps.database;
  const operation = await findOperation(orm, operationId);
  const sentForMs = await findSentForMs(orm, operationId);
  if (operation === null || operation.power === null || sentForMs === null) return null;
  if (sentForMs < SENDING_IS_OVER_MS) {
    throw ApplicationFailure.create({
      message: 'it may still be sent: ask again in a moment',
      nextRetryDelay: Math.ceil(SENDING_IS_OVER_MS - sentForMs),
    });
  }
  const reached = await reachProvider(deps, operation.vmId);
  if (!reached.ok) return { verdict: 'cannot-tell', detail: reached.message };
  return reached.provider.readBack(reached.reference, operation.power, READ_LIMIT_MS);
}
