import type { Transaction } from '../../db/database.ts';
import { recordStarted } from '../../db/fleet/begin-anew.ts';
import { recordStoppedOnPurpose } from '../../db/heals/heal-subject.ts';
import { findOperation, type OperationRow, recordOperationEvent } from '../../db/heals/operations.ts';
import { findVmProvider } from '../../db/providers/vm-provider.ts';
import type { OperationEvent } from '../../domain/operation.ts';
import type { OperationEnd } from '../contract.ts';
import type { Dependencies } from '../dependencies.ts';

/** Shorter than the activity may take, so that the answer is recorded by whoever sent. */
const POWER_LIMIT_MS = 10_000;

/**
 * What was decided longer ago is decided anew: the VM may have come back meanwhile. Longer than `decide` takes to be asked
 * again when its worker dies before it could answer.
 */
const DECISION_HOLDS_MS = 60_000;

/**
 * Sends an intended operation. It moves intended → sent immediately before it sends, and sends only if it won that move:
 * whoever asks a second time sends nothing. `sent` = it isn't known whether the hypervisor acted.
 */
export async function carryOut(deps: Dependencies, operationId: string): Promise<OperationEnd> {
  const { orm } = deps.database;
  const operation = await findOperation(orm, operationId);
  if (!operation) return { state: 'abandoned', detail: 'no such operation' };
  if (operation.power === null) return notifyPeople(deps, operation);
  if (deps.now() - operation.intendedAt.getTime() > DECISION_HOLDS_MS) {
    return resolveOperation(deps, operationId, 'never sent: too long after it was decided');
  }
  const vmProvider = await findVmProvider(orm, operation.vmId);
  if (vmProvider === null) return end(deps, operation, notSent('there is no such VM'));
  // the same name at another site may be another VM
  if (vmProvider.site !== deps.settings.DEFIB_SITE) {
    return end(deps, operation, notSent(`its provider is reached from site ${vmProvider.site} now`));
  }
  const reached = deps.providers.reach(vmProvider.reference.kind, vmProvider.instance);
  if (!reached.ok) return end(deps, operation, notSent(reached.message));
  const won = await orm.transaction((tx) => recordOperationEvent(tx, operationId, { kind: 'sent' }, deps.now()));
  if (won === null) return { state: 'sent', detail: 'somebody else has moved it on' };
  const answer = await reached.provider.power(vmProvider.reference, operation.power, POWER_LIMIT_MS);
  deps.log.info({ operationId, outcome: answer.outcome }, 'power action answered');
  switch (answer.outcome) {
    case 'done':
      return end(deps, operation, done(operation, answer.detail));
    case 'not-sent':
      return end(deps, operation, notSent(answer.message));
    case 'in-doubt':
      return { state: 'sent', detail: answer.message };
  }
}

/**
 * Ends the doubt about an operation without ever sending it. Still intended: abandoned, and from then on it can't be sent.
 * Sent: where the hypervisor has nothing to read back it counts as done, and the verify window judges it.
 */
export async function resolveOperation(
  deps: Dependencies,
  operationId: string,
  whyNotSent = 'never sent: the worker went away first',
): Promise<OperationEnd> {
  const { orm } = deps.database;
  const withdrawal: OperationEvent = { kind: 'withdrawn', detail: whyNotSent, result: 'failed' };
  const withdrawn = await orm.transaction((tx) => recordOperationEvent(tx, operationId, withdrawal, deps.now()));
  if (withdrawn !== null) return { state: 'abandoned', detail: whyNotSent };
  const operation = await findOperation(orm, operationId);
  if (!operation) return { state: 'abandoned', detail: 'no such operation' };
  if (operation.state !== 'sent') {
    return { state: operation.state === 'done' ? 'done' : 'abandoned', detail: operation.detail ?? '' };
  }
  return end(
    deps,
    operation,
    done(operation, 'perhaps sent: nothing to read back at the hypervisor, so the looks that follow judge it'),
  );
}

/** Notifying people is done when it is recorded; part of the same heal history as every other remedy. */
async function notifyPeople(deps: Dependencies, operation: OperationRow): Promise<OperationEnd> {
  const ended = await end(deps, operation, done(operation, 'recorded for people to act on'));
  deps.log.warn({ operationId: operation.id, vmId: operation.vmId }, 'a VM needs a person');
  return ended;
}

type Ending = OperationEvent & { kind: 'done' | 'not-sent' };

/** What no look can judge is a success when it is done. */
function done({ power }: OperationRow, detail: string): Ending {
  return { kind: 'done', detail, conclusive: power === null || power === 'stop' };
}

function notSent(detail: string): Ending {
  return { kind: 'not-sent', detail };
}

async function end(deps: Dependencies, { id }: OperationRow, ending: Ending): Promise<OperationEnd> {
  const atMs = deps.now();
  return deps.database.orm.transaction(async (tx): Promise<OperationEnd> => {
    const ended = await recordOperationEvent(tx, id, ending, atMs);
    // an answer that comes after the doubt was resolved changes nothing
    if (ended === null) return { state: 'sent', detail: 'somebody else has ended it' };
    if (ending.kind === 'done') await recordPurpose(tx, ended, atMs);
    return { state: ending.kind === 'done' ? 'done' : 'abandoned', detail: ending.detail };
  });
}

/** A VM that a policy stopped is stopped on purpose; one that was started again is meant to run. */
async function recordPurpose(tx: Transaction, { vmId, power }: OperationRow, atMs: number): Promise<void> {
  if (power === 'stop' || power === 'shutdown') await recordStoppedOnPurpose(tx, vmId, atMs);
  else if (power === 'start') await recordStarted(tx, vmId, atMs);
}
