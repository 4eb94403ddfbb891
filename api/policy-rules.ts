import type { Database } from '../db/database.ts';
import { isUniqueViolation } from '../db/database-trouble.ts';
import { findVm } from '../db/fleet/find-vms.ts';
import { pagesOf } from '../db/pages.ts';
import { findVmsInScope } from '../db/policies/covered-vms.ts';
import { findApplicablePolicies, findPoliciesOf } from '../db/policies/find-policies.ts';
import {
  findNamesake,
  findPolicy,
  findSlowestCheck,
  type PolicyRow,
  type PolicySettings,
} from '../db/policies/policy-changes.ts';
import { AppError, type Problem } from '../domain/app-error.ts';
import { effectivePolicy, POLICY_DEFAULTS, type PolicyAction } from '../domain/policy.ts';
import type { Judged, JudgedCall } from './endpoint.ts';
import type { Sound } from './parse-request.ts';
import type { policyInput } from './schemas/policies.ts';

/** These ask people to act: nothing is verified after them. */
const NOT_VERIFIED: ReadonlySet<PolicyAction> = new Set(['notify_only', 'human']);

/** A new policy whole, or what changes of the one with this id; the VM always by its id. */
type FoundPolicy = { named: Pick<PolicySettings, 'name' | 'vmId' | 'tag'> } & (
  | { id: null; settings: PolicySettings }
  | { id: string; settings: Partial<PolicySettings> }
);

/**
 * What no schema can say of a policy: its scope, and a verify window in which no check could answer once.
 * @throws AppError `not-found` when it is to change a policy that the tenant doesn't have
 */
export async function judgePolicy(
  { database }: { database: Database },
  { body, caller, nowMs, refused }: JudgedCall<unknown, Sound<typeof policyInput>>,
): Promise<Judged<FoundPolicy>> {
  const { tenantId } = caller;
  const { id, ...sent } = body;
  const before = id === undefined ? null : await findPolicy(database, tenantId, id);
  if (id !== undefined && before === null) throw noSuchPolicy(id);
  const policy = { ...POLICY_DEFAULTS, ...before, ...sent };
  const vm = policy.vmId === null ? null : await findVm(database.pool, tenantId, policy.vmId, nowMs);

  const problems: Problem[] = [];
  if (policy.name === undefined && !refused.has('name')) {
    problems.push({ path: 'name', message: 'is needed for a new policy' });
  }
  if (policy.vmId !== null && policy.tag !== null) {
    problems.push({ path: 'tag', message: 'a policy is for one VM or for a tag, not both; set the other to null' });
  }
  if (policy.vmId !== null && vm === null) problems.push({ path: 'vmId', message: 'there is no such VM' });
  else problems.push(...(await windowProblems(database, tenantId, { ...policy, vmId: vm?.id ?? null })));

  const settings = vm === null || sent.vmId === undefined ? sent : { ...sent, vmId: vm.id };
  const { name } = policy;
  if (name === undefined) return { problems, found: null };
  const named = { name, vmId: vm?.id ?? null, tag: policy.tag };
  return {
    problems,
    found:
      id === undefined
        ? { named, id: null, settings: { ...POLICY_DEFAULTS, ...settings, name } }
        : { named, id, settings },
  };
}

/** The refusal for a policy that the tenant doesn't have. */
export function noSuchPolicy(id: string): AppError {
  return new AppError('not-found', `There is no policy "${id.slice(0, 100)}".`);
}

function isVerified({ action, escalationAction }: Pick<PolicySettings, 'action' | 'escalationAction'>): boolean {
  return !NOT_VERIFIED.has(action) || !NOT_VERIFIED.has(escalationAction);
}

/** A remedy would always seem to fail if no covered check could answer before its window ends. */
async function windowProblems(
  database: Database,
  tenantId: string,
  policy: Pick<PolicySettings, 'action' | 'escalationAction' | 'verifySeconds' | 'vmId' | 'tag'>,
): Promise<Problem[]> {
  if (!isVerified(policy)) return [];
  const slowest = await findSlowestCheck(database.pool, tenantId, policy);
  if (slowest === null || policy.verifySeconds >= slowest.seconds) return [];
  const { seconds, checkType, vmName } = slowest;
  const message = `must be at least ${seconds}: the ${checkType} check of VM "${vmName}" takes its interval and timeout to answer`;
  return [{ path: 'verifySeconds', message }];
}

/** How many VMs are in a policy's scope, and for how many of them it is the one that counts. */
export async function countCovered(
  { pool }: Database,
  { id, tenantId, vmId, tag }: PolicyRow,
): Promise<{ covers: number; countsFor: number }> {
  let covers = 0;
  let countsFor = 0;
  const pages = pagesOf(
    (afterId: string | null, limit) => findVmsInScope(pool, tenantId, { vmId, tag }, afterId, limit),
    (vm) => vm.vmId,
  );
  for await (const page of pages) {
    const policies = await findApplicablePolicies(
      pool,
      page.map((vm) => vm.vmId),
    );
    covers += page.length;
    countsFor += page.filter((vm) => effectivePolicy(vm, policies.get(vm.vmId) ?? [])?.policy.id === id).length;
  }
  return { covers, countsFor };
}

/**
 * Saves a policy.
 * @throws AppError `conflict` when another policy of its scope has its name
 */
export async function underItsName<Saved>(
  database: Database,
  tenantId: string,
  named: Parameters<typeof findNamesake>[2],
  save: () => Promise<Saved>,
): Promise<Saved> {
  try {
    return await save();
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    const other = await findNamesake(database, tenantId, named);
    const message = `is taken by policy ${other ?? '(just removed: try again)'} of the same scope; send that id to change it`;
    throw new AppError('conflict', `name "${named.name}" ${message}`, { problems: [{ path: 'name', message }] });
  }
}

/** Why a check that takes that long to answer is too slow for policies of its VM: their remedies would always seem to fail. */
export async function tooSlowFor({ pool }: Database, vmId: string, seconds: number): Promise<Problem[]> {
  const policies = await findPoliciesOf(pool, vmId);
  return policies
    .filter((policy) => isVerified(policy) && policy.verifySeconds < seconds)
    .map(({ id, name, verifySeconds }) => {
      const message = `is too long for policy "${name}" (${id}): it waits ${verifySeconds} s to see whether a remedy helped, and this check takes ${seconds} s, its interval and timeout, to answer. Give the policy a longer verifySeconds first`;
      return { path: 'intervalSeconds', message };
    });
}
