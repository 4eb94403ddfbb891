import { eq } from 'drizzle-orm';
import { isDatabaseAway, type Queryable } from '../../db/database.ts';
import { recordHealStep } from '../../db/heals/heal-steps.ts';
import { findIncidentForUpdate, recordIncidentClosed } from '../../db/heals/incidents.ts';
import {
  findOperationsOf,
  type OperationRow,
  recordHealResult,
  recordIntended,
  recordMoved,
} from '../../db/heals/operations.ts';
import { findWatchedVms } from '../../db/looks/watched-vms.ts';
import { findPolicies } from '../../db/policies/find-policies.ts';
import { vmStatus, vms } from '../../db/schema/vms.ts';
import type { Remedy } from '../../domain/choose-remedy.ts';
import type { Facts } from '../../domain/facts.ts';
import { operationId } from '../../domain/ids.ts';
import { type Policy, policyFor } from '../../domain/policy.ts';
import { type Decision, decideRemedy } from '../../domain/remedy.ts';
import type { HealDecision, IncidentKey } from '../contract.ts';
import type { Dependencies } from '../dependencies.ts';
import { askProvider, gatherFacts } from './gather-facts.ts';

const HISTORY_UNAVAILABLE_MS = 5_000;

/**
 * Gathers the facts, decides, and records the decision with what follows from it in one transaction. Asked again after a
 * crash it answers the operation it had intended, so that a decision is never carried out twice; but one that was not sent
 * yet only while it would still decide so.
 */
export async function decide(deps: Dependencies, key: IncidentKey): Promise<HealDecision> {
  try {
    return await decideNow(deps, key);
  } catch (error) {
    if (!isDatabaseAway(error)) throw error;
    const line = 'holds (history-unavailable): the database is away, and without it nothing is done to the VM';
    return { kind: 'hold', reason: 'history-unavailable', lookAgainInMs: HISTORY_UNAVAILABLE_MS, line };
  }
}

async function decideNow(deps: Dependencies, { vmId, incident }: IncidentKey): Promise<HealDecision> {
  const { orm, pool } = deps.database;
  const [row] = await orm
    .select({ provider: vms.provider, attemptsResetAt: vms.attemptsResetAt, lastLookAt: vmStatus.lastLookAt })
    .from(vms)
    .innerJoin(vmStatus, eq(vmStatus.vmId, vms.id))
    .where(eq(vms.id, vmId));
  if (!row) return { kind: 'close', reason: 'vm-deleted', line: 'over (vm-deleted): there is no such VM' };
  // asked before the transaction: a slow hypervisor holds no locks
  const provider = await askProvider(deps, row.provider);
  const vm = (await findWatchedVms(pool, [vmId])).get(vmId);
  const policies = vm ? await findPolicies(pool, vm.tenantId) : [];

  return orm.transaction(async (tx) => {
    const open = await findIncidentForUpdate(tx, vmId, incident);
    if (!vm || !open || open.closedAt !== null) return over(open?.outcome ?? 'vm-deleted');
    const unfinished = (await findOperationsOf(tx, vmId, incident)).find(
      ({ state }) => state === 'intended' || state === 'sent',
    );
    if (unfinished?.state === 'sent') return actOn(unfinished, GOES_ON);
    const policy = policyFor({ vmId, tags: vm.tags }, policies);
    const facts = await gatherFacts(deps, tx, {
      vm,
      incident,
      policy,
      attemptsResetAtMs: row.attemptsResetAt?.getTime() ?? null,
      lastLookAtMs: row.lastLookAt?.getTime() ?? null,
      provider,
      unsentOperationId: unfinished?.id ?? null,
    });
    const nowMs = deps.now();
    const decided = decideRemedy(facts, policy, nowMs);
    if (unfinished && (isFor(unfinished, decided.decision) || !(await withdraw(tx, unfinished, nowMs)))) {
      return actOn(unfinished, GOES_ON);
    }
    await recordHealStep(tx, facts, decided, nowMs);
    return applyDecision(tx, { facts, policy, decision: decided.decision, tenantId: vm.tenantId, nowMs });
  });
}

const GOES_ON = 'goes on with what it had decided';

function isFor(operation: OperationRow, decision: Decision): boolean {
  if (decision.kind !== 'act') return false;
  return decision.remedy.action === operation.action && decision.remedy.escalation === operation.escalation;
}

/** False when it has been sent after all. */
async function withdraw(tx: Queryable, operation: OperationRow, atMs: number): Promise<boolean> {
  const detail = 'never sent: decided otherwise before it was';
  if (!(await recordMoved(tx, operation.id, { from: ['intended'], to: 'abandoned', detail, atMs }))) return false;
  await recordHealResult(tx, operation.id, { result: 'skipped', errorMessage: detail, atMs });
  return true;
}

interface Applied {
  facts: Facts;
  policy: Policy | null;
  decision: Decision;
  tenantId: string;
  nowMs: number;
}

async function applyDecision(tx: Queryable, applied: Applied): Promise<HealDecision> {
  const { facts, decision, nowMs } = applied;
  switch (decision.kind) {
    case 'close':
      await recordIncidentClosed(tx, facts.vmId, facts.incident, decision.reason, nowMs);
      return over(decision.reason);
    case 'hold': {
      const { reason, lookAgainInMs, sentence, wouldChange } = decision;
      return {
        kind: 'hold',
        reason,
        lookAgainInMs,
        line: `holds (${reason}): ${sentence}. Would change: ${wouldChange}`,
      };
    }
    case 'act':
      return actOn(await intend(tx, applied, decision), decision.reason);
  }
}

async function intend(tx: Queryable, applied: Applied, decision: Decision & { kind: 'act' }): Promise<OperationRow> {
  const { facts, policy, tenantId, nowMs } = applied;
  const { remedy } = decision;
  const attempt = (await findOperationsOf(tx, facts.vmId, facts.incident)).length + 1;
  const operation: OperationRow = {
    id: operationId(facts.vmId, facts.incident, remedy.action, attempt),
    vmId: facts.vmId,
    incident: facts.incident,
    attempt,
    action: remedy.action,
    power: remedy.kind === 'power' ? remedy.power : null,
    escalation: remedy.escalation,
    state: 'intended',
    detail: null,
    verifyMs: decision.verifyMs,
    intendedAt: new Date(nowMs),
    sentAt: null,
    endedAt: null,
  };
  await recordIntended(tx, operation, {
    vmId: facts.vmId,
    tenantId,
    incident: facts.incident,
    policyId: policy?.id ?? null,
    operationId: operation.id,
    action: remedy.escalation ? 'escalate' : remedy.action,
    reason: decision.reason,
    result: 'pending',
    previousStatus: facts.status,
    newStatus: newStatusOf(remedy),
    triggeredAt: new Date(nowMs),
  });
  return operation;
}

/** Spec C's words for where a remedy leads. */
function newStatusOf(remedy: Remedy): string | null {
  if (remedy.kind === 'other') return remedy.action === 'migrate' ? 'migrating' : null;
  if (remedy.kind === 'tell') return null;
  return remedy.power === 'stop' || remedy.power === 'shutdown' ? 'stopped' : 'restarting';
}

function actOn(operation: OperationRow, why: string): HealDecision {
  const { id, action, power, attempt, verifyMs } = operation;
  const how = power === null || power === action ? action : `${action} by ${power}`;
  return { kind: 'act', operationId: id, action, verifyMs, line: `acts: ${how}, attempt ${attempt} (${why})` };
}

function over(reason: string): HealDecision {
  return { kind: 'close', reason, line: `over (${reason})` };
}
