import { eq } from 'drizzle-orm';
import type { Queryable } from '../../db/database.ts';
import { findOperation, type OperationRow, recordHealResult, recordMoved } from '../../db/heals/operations.ts';
import { vms } from '../../db/schema/vms.ts';
import type { PowerAction } from '../../domain/power.ts';
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
 * whoever asks a second time sends nothing. `sent` = it can't be told whether the hypervisor acted.
 */
export async function carryOut(deps: Dependencies, operationId: string): Promise<OperationEnd> {
  const { orm } = deps.database;
  const operation = await findOperation(orm, operationId);
  if (!operation) return { state: 'abandoned', detail: 'no such operation' };
  if (operation.power === null) return tell(deps, operation);
  if (deps.now() - operation.intendedAt.getTime() > DECISION_HOLDS_MS) {
    return resolveOperation(deps, operationId, 'never sent: too long after it was decided');
  }
  const [vm] = await orm.select({ provider: vms.provider }).from(vms).where(eq(vms.id, operation.vmId));
  const provider = vm && deps.providers.get(vm.provider.kind);
  if (!vm || !provider) return end(deps, operation, 'abandoned', 'its VM or provider is gone');
  if (!(await recordMoved(orm, operationId, { from: ['intended'], to: 'sent', atMs: deps.now() }))) {
    return { state: 'sent', detail: 'somebody else has moved it on' };
  }
  const answer = await provider.power(vm.provider, operation.power, POWER_LIMIT_MS);
  deps.log.info({ operationId, outcome: answer.outcome }, 'power action answered');
  switch (answer.outcome) {
    case 'done':
      return end(deps, operation, 'done', answer.detail);
    case 'not-sent':
      return end(deps, operation, 'abandoned', answer.message);
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
  const abandoned = await orm.transaction(async (tx) => {
    const atMs = deps.now();
    const moved = await recordMoved(tx, operationId, { from: ['intended'], to: 'abandoned', detail: whyNotSent, atMs });
    if (moved) await recordHealResult(tx, operationId, { result: 'failed', errorMessage: whyNotSent, atMs });
    return moved;
  });
  if (abandoned) return { state: 'abandoned', detail: whyNotSent };
  const operation = await findOperation(orm, operationId);
  if (!operation) return { state: 'abandoned', detail: 'no such operation' };
  if (operation.state !== 'sent')
    return { state: operation.state === 'done' ? 'done' : 'abandoned', detail: operation.detail ?? '' };
  return end(
    deps,
    operation,
    'done',
    'perhaps sent: nothing to read back at the hypervisor, so the looks that follow judge it',
  );
}

/** Telling people is done when it is recorded; part of the same heal history as every other remedy. */
async function tell(deps: Dependencies, operation: OperationRow): Promise<OperationEnd> {
  const ended = await end(deps, operation, 'done', 'recorded for people to act on');
  deps.log.warn({ operationId: operation.id, vmId: operation.vmId }, 'a VM needs a person');
  return ended;
}

async function end(
  deps: Dependencies,
  operation: OperationRow,
  state: 'done' | 'abandoned',
  detail: string,
): Promise<OperationEnd> {
  const atMs = deps.now();
  return deps.database.orm.transaction(async (tx): Promise<OperationEnd> => {
    const moved = await recordMoved(tx, operation.id, { from: ['intended', 'sent'], to: state, detail, atMs });
    // an answer that comes after the doubt was resolved changes nothing
    if (!moved) return { state: 'sent', detail: 'somebody else has ended it' };
    if (state === 'abandoned') {
      await recordHealResult(tx, operation.id, { result: 'failed', errorMessage: detail, atMs });
      return { state, detail };
    }
    await recordPurpose(tx, operation.vmId, operation.power, atMs);
    // what no look can judge is a success when it is done
    if (operation.power === null || operation.power === 'stop') {
      await recordHealResult(tx, operation.id, { result: 'success', errorMessage: null, atMs });
    }
    return { state, detail };
  });
}

/** A VM that a policy stopped is stopped on purpose; one that was started again is meant to run. */
async function recordPurpose(tx: Queryable, vmId: string, power: PowerAction | null, atMs: number): Promise<void> {
  if (power === 'stop' || power === 'shutdown') {
    await tx
      .update(vms)
      .set({ stoppedOnPurposeAt: new Date(atMs) })
      .where(eq(vms.id, vmId));
  } else if (power === 'start') {
    await tx.update(vms).set({ stoppedOnPurposeAt: null }).where(eq(vms.id, vmId));
  }
}
