import { databaseTrouble } from '../../db/database-trouble.ts';
import { findOperation, type OperationRow } from '../../db/heals/operations.ts';
import { findSentForMs, moveToSent } from '../../db/heals/sending.ts';
import type { PreparedAction } from '../../providers/provider.ts';
import type { OperationEnd } from '../contract.ts';
import type { Dependencies } from '../dependencies.ts';
import { carriedOut, endOperation, reportEnd } from './end-operation.ts';
import { reachProvider } from './reach-provider.ts';

const PREPARE_LIMIT_MS = 6_000;
/** Preparing and sending together take less than the activity may, so that the sender itself records the answer. */
const POWER_LIMIT_MS = 10_000;
/** An action is written within this time of asking to move its operation to `sent`, or not at all. */
const SEND_WITHIN_MS = 2_000;

/**
 * Sends an intended operation: connects first, moves it intended → sent if it is still wanted, checks that this happened a
 * moment ago, and only then writes. A second call sends nothing. `sent` = it isn't known whether the hypervisor acted.
 */
export async function carryOut(deps: Dependencies, operationId: string): Promise<OperationEnd> {
  const operation = await findOperation(deps.database.orm, operationId);
  if (!operation) return { state: 'abandoned', detail: 'no such operation' };
  if (operation.power === null) return notifyPeople(deps, operation);
  const reached = await reachProvider(deps, operation.vmId);
  if (!reached.ok) return notBegun(deps, operation, reached.message);
  const ready = await reached.provider.prepare(reached.reference, operation.power, PREPARE_LIMIT_MS);
  if (!ready.ok) return notBegun(deps, operation, ready.message);
  try {
    return await sendIfWanted(deps, operation, ready.prepared);
  } finally {
    ready.prepared.release();
  }
}

async function sendIfWanted(
  deps: Dependencies,
  operation: OperationRow,
  prepared: PreparedAction,
): Promise<OperationEnd> {
  const requestedAtMs = performance.now();
  const move = await moveToSent(deps.database, operation, prepared.state.power).catch(notConfirmed);
  switch (move.kind) {
    case 'overtaken':
      return { state: 'sent', detail: 'it was sent already, or has ended' };
    case 'unwanted':
      return { state: 'abandoned', detail: `not sent: ${move.why}` };
    case 'undone':
      return notBegun(deps, operation, `not sent: ${move.message}`);
    case 'in-doubt':
      // it may be stored as sent, but nothing was written to the hypervisor
      return notSent(deps, operation, `not sent: the database did not confirm that it may be (${move.message})`);
    case 'moved':
      break;
  }
  // this process and its clock may have been suspended since: only the database's answer is certainly current
  const sentForMs = await findSentForMs(deps.database.orm, operation.id).catch(() => null);
  if (sentForMs === null || sentForMs > SEND_WITHIN_MS || performance.now() - requestedAtMs > SEND_WITHIN_MS) {
    return notSent(deps, operation, 'not sent: it could not be confirmed in time that it is still wanted');
  }
  const answer = await prepared.send(POWER_LIMIT_MS);
  deps.log.info({ operationId: operation.id, outcome: answer.outcome }, 'power action answered');
  switch (answer.outcome) {
    case 'done':
      return reportEnd(deps, operation.id, carriedOut(operation, answer.detail));
    case 'not-sent':
      return notSent(deps, operation, answer.message);
    case 'in-doubt':
      return { state: 'sent', detail: answer.message };
  }
}

/** A lock that was not had undoes the move for certain: then another sender may hold it, and have made its own. */
function notConfirmed(error: unknown): { kind: 'in-doubt' | 'undone'; message: string } {
  const trouble = databaseTrouble(error);
  if (trouble?.reason === 'lock-timeout') return { kind: 'undone', message: trouble.message };
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  return { kind: 'in-doubt', message: cause instanceof Error ? cause.message : String(cause) };
}

/** Nothing was moved to `sent` here: should it be all the same, somebody else sends it, and only they know what came of it. */
function notBegun(deps: Dependencies, { id }: OperationRow, detail: string): Promise<OperationEnd> {
  return reportEnd(deps, id, { kind: 'withdrawn', detail, result: 'failed' });
}

/** Only for whoever has moved it to `sent`, or may have. */
function notSent(deps: Dependencies, { id }: OperationRow, detail: string): Promise<OperationEnd> {
  return reportEnd(deps, id, { kind: 'not-sent', detail });
}

/** Notifying people is done once it is recorded: the heal history shows it as it shows every remedy. */
async function notifyPeople(deps: Dependencies, operation: OperationRow): Promise<OperationEnd> {
  const ended = await endOperation(deps, operation.id, carriedOut(operation, 'recorded for people to act on'));
  deps.log.warn({ operationId: operation.id, vmId: operation.vmId }, 'a VM needs a person');
  return ended;
}
