import { traitsIn } from '../../checks/check.ts';
import type { Transaction } from '../../db/database.ts';
import { databaseTrouble } from '../../db/database-trouble.ts';
import { recordHealStep } from '../../db/heals/heal-steps.ts';
import { findHealSubject } from '../../db/heals/heal-subject.ts';
import {
  findIncidentForUpdate,
  powerReadingOf,
  recordIncidentClosed,
  recordPowerReading,
} from '../../db/heals/incidents.ts';
import {
  findOperationsOf,
  type OperationRow,
  recordDecidedAgain,
  recordIntended,
  recordOperationEvent,
} from '../../db/heals/operations.ts';
import { findWatchedVms } from '../../db/looks/watched-vms.ts';
import { findApplicablePolicies } from '../../db/policies/find-policies.ts';
import { findVmProvider } from '../../db/providers/vm-provider.ts';
import type { Facts } from '../../domain/facts.ts';
import { fenceOf } from '../../domain/fence.ts';
import { operationId } from '../../domain/ids.ts';
import { effectivePolicy, type Policy } from '../../domain/policy.ts';
import { type Decision, decideRemedy } from '../../domain/remedy.ts';
import type { HealActivities, HealDecision } from '../contract.ts';
import type { Dependencies } from '../dependencies.ts';
import { askProvider } from './ask-provider.ts';
import { gatherFacts } from './gather-facts.ts';

const HISTORY_UNAVAILABLE_MS = 5_000;

/**
 * Gathers the facts, decides, and records the decision with what follows from it in one transaction. Called again after a
 * crash, it answers the operation that it had intended, so that no decision is carried out twice. One that was not sent yet is
 * answered only if the decision would be the same now.
 */
export async function decide(deps: Dependencies, input: DecideInput): Promise<HealDecision> {
  try {
    return await decideNow(deps, input);
  } catch (error) {
    const away = databaseTrouble(error);
    if (away === null) throw error;
    const line = `holds (history-unavailable): ${away.message}, and without its history nothing is done to a VM`;
    return { kind: 'hold', reason: 'history-unavailable', lookAgainInMs: HISTORY_UNAVAILABLE_MS, line };
  }
}

type DecideInput = Parameters<HealActivities['decide']>[0];

async function decideNow(deps: Dependencies, { vmId, incident, provider }: DecideInput): Promise<HealDecision> {
  const { orm, pool } = deps.database;
  const subject = await findHealSubject(orm, vmId);
  const vmProvider = await findVmProvider(orm, vmId);
  if (subject === null || vmProvider === null) {
    return { kind: 'close', reason: 'vm-deleted', line: 'over (vm-deleted): there is no such VM' };
  }
  const { site } = vmProvider;
  if (provider && provider.site !== site) return { kind: 'ask', site, line: `asks its provider at site ${site}` };
  // before the transaction: no locks are held while a hypervisor is slow
  const { fact } = provider ?? (await askProvider(deps, vmId));
  const vm = (await findWatchedVms(pool, [vmId], traitsIn(deps.probes))).get(vmId);
  const policies = (await findApplicablePolicies(pool, [vmId])).get(vmId) ?? [];

  return orm.transaction(async (tx) => {
    const open = await findIncidentForUpdate(tx, vmId, incident);
    if (!vm || !open || open.closedAt !== null) return over(open?.outcome ?? 'vm-deleted');
    const unfinished = (await findOperationsOf(tx, vmId, incident)).find(
      ({ state }) => state === 'intended' || state === 'sent',
    );
    if (unfinished?.state === 'sent') return actOn(unfinished, GOES_ON, site);
    const nowMs = deps.now();
    const policy = effectivePolicy({ vmId, tags: vm.tags }, policies)?.policy ?? null;
    const facts = await gatherFacts(deps, tx, {
      vm,
      subject,
      incident,
      policy,
      provider: fact,
      lastReading: powerReadingOf(open),
      unsentOperationId: unfinished?.id ?? null,
    });
    await recordPowerReading(tx, vmId, incident, facts.powerReading);
    const decided = decideRemedy(facts, policy, nowMs);
    if (unfinished && (isFor(unfinished, decided.decision) || !(await withdraw(tx, unfinished, nowMs)))) {
      await recordDecidedAgain(tx, unfinished.id, fenceOf(facts));
      return actOn(unfinished, GOES_ON, site);
    }
    await recordHealStep(tx, facts, decided, nowMs);
    return applyDecision(tx, { facts, policy, decision: decided.decision, tenantId: vm.tenantId, site, nowMs });
  });
}

const GOES_ON = 'goes on with what it had decided';

function isFor(operation: OperationRow, decision: Decision): boolean {
  if (decision.kind !== 'act') return false;
  const { action, escalation, cause } = decision.remedy;
  return action === operation.action && escalation === operation.escalation && cause === operation.cause;
}

/** False when it has been sent after all. */
async function withdraw(tx: Transaction, operation: OperationRow, atMs: number): Promise<boolean> {
  const detail = 'never sent: decided otherwise before it was';
  const withdrawn = await recordOperationEvent(
    tx,
    operation.id,
    { kind: 'withdrawn', detail, result: 'skipped' },
    atMs,
  );
  return withdrawn !== null;
}

interface Applied {
  facts: Facts;
  policy: Policy | null;
  decision: Decision;
  tenantId: string;
  /** Where its provider is reached. */
  site: string;
  nowMs: number;
}

async function applyDecision(tx: Transaction, applied: Applied): Promise<HealDecision> {
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
      return actOn(await intend(tx, applied, decision), decision.reason, applied.site);
  }
}

async function intend(tx: Transaction, applied: Applied, decision: Decision & { kind: 'act' }): Promise<OperationRow> {
  const { facts, policy, tenantId, nowMs } = applied;
  const { vmId, incident } = facts;
  const { remedy, reason, verifyMs } = decision;
  // old ones may have been deleted meanwhile
  const attempt = Math.max(0, ...(await findOperationsOf(tx, vmId, incident)).map((one) => one.attempt)) + 1;
  const operation = {
    id: operationId(vmId, incident, remedy.action, attempt),
    vmId,
    tenantId,
    incident,
    attempt,
    action: remedy.action,
    power: remedy.kind === 'power' ? remedy.power : null,
    escalation: remedy.escalation,
    verifyMs,
    policyId: policy?.id ?? null,
    reason,
    previousStatus: facts.status,
    cause: remedy.cause,
    fence: fenceOf(facts),
  };
  return recordIntended(tx, operation, nowMs);
}

function actOn({ id, action, power, attempt, verifyMs }: OperationRow, why: string, site: string): HealDecision {
  const how = power === null || power === action ? action : `${action} by ${power}`;
  return {
    kind: 'act',
    operationId: id,
    action,
    power,
    attempt,
    verifyMs,
    line: `acts: ${how}, attempt ${attempt} (${why})`,
    // notifying people needs no provider
    site: power === null ? null : site,
  };
}

function over(reason: string): HealDecision {
  return { kind: 'close', reason, line: `over (${reason})` };
}
