import type { Database } from '../db/database.ts';
import { findVm } from '../db/fleet/find-vms.ts';
import { findPolicy, findSlowestCheck, type PolicySettings } from '../db/policies/policy-changes.ts';
import { AppError, type Problem } from '../domain/app-error.ts';
import type { PolicyAction } from '../domain/policy.ts';
import type { Judged, JudgedCall } from './endpoint.ts';
import type { Sound } from './parse-request.ts';
import type { policyInput } from './schemas/policies.ts';

/** What counts where a policy says nothing else. */
const POLICY_DEFAULTS: Omit<PolicySettings, 'name'> = {
  enabled: true,
  triggerAfterFailures: 3,
  action: 'restart',
  cooldownMinutes: 10,
  maxAttempts: 3,
  attemptWindowHours: 24,
  notifyOnTrigger: true,
  escalateAfterAttempts: null,
  escalationAction: 'notify_only',
  verifySeconds: 120,
  vmId: null,
  tag: null,
};

/** These ask people to act: nothing is verified after them. */
const NOT_VERIFIED: ReadonlySet<PolicyAction> = new Set(['notify_only', 'human']);

/** A new policy whole, or what changes of the one with this id; the VM always by its id. */
type FoundPolicy = { id: null; settings: PolicySettings } | { id: string; settings: Partial<PolicySettings> };

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
  if (id !== undefined) return { problems, found: { id, settings } };
  const { name } = policy;
  return {
    problems,
    found: name === undefined ? null : { id: null, settings: { ...POLICY_DEFAULTS, ...settings, name } },
  };
}

/** The refusal for a policy that the tenant doesn't have. */
export function noSuchPolicy(id: string): AppError {
  return new AppError('not-found', `There is no policy "${id.slice(0, 100)}".`);
}

/** A remedy would always seem to fail if no covered check could answer before its window ends. */
async function windowProblems(
  database: Database,
  tenantId: string,
  policy: Pick<PolicySettings, 'action' | 'escalationAction' | 'verifySeconds' | 'vmId' | 'tag'>,
): Promise<Problem[]> {
  if (NOT_VERIFIED.has(policy.action) && NOT_VERIFIED.has(policy.escalationAction)) return [];
  const slowest = await findSlowestCheck(database.pool, tenantId, policy);
  if (slowest === null || policy.verifySeconds >= slowest.seconds) return [];
  const { seconds, checkType, vmName } = slowest;
  const message = `must be at least ${seconds}: the ${checkType} check of VM "${vmName}" takes its interval and timeout to answer`;
  return [{ path: 'verifySeconds', message }];
}
