import { findVm } from '../db/fleet/find-vms.ts';
import { findPolicy, findSlowestCheck, type PolicySettings } from '../db/policies/policy-changes.ts';
import type { Problem } from '../domain/app-error.ts';
import type { PolicyAction } from '../domain/policy.ts';
import type { ApiDependencies } from './dependencies.ts';
import type { Call } from './endpoint.ts';
import { inspectablePolicy } from './schemas/policies.ts';

/** Spec C "Policy": what counts where nothing else is said. */
export const POLICY_DEFAULTS: Omit<PolicySettings, 'name'> = {
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

/** These tell people: nothing is verified afterwards. */
const TELLING: ReadonlySet<PolicyAction> = new Set(['notify_only', 'human']);

/** What no schema can say of a policy: its scope, and a verify window in which no check could answer once. */
export async function policyProblems(
  deps: Pick<ApiDependencies, 'database'>,
  { body, caller, nowMs }: Call<unknown, unknown>,
): Promise<Problem[]> {
  const parsed = inspectablePolicy.safeParse(body);
  if (!parsed.success) return [];
  const { id, ...sent } = parsed.data;
  const before = id === undefined ? null : await findPolicy(deps.database, caller.tenantId, id);
  if (id !== undefined && before === null) return [];
  const said = Object.fromEntries(Object.entries(sent).filter(([, value]) => value !== undefined));
  const policy: typeof POLICY_DEFAULTS = { ...POLICY_DEFAULTS, ...before, ...said };
  const problems: Problem[] = [];
  if (id === undefined && sent.name === undefined)
    problems.push({ path: 'name', message: 'is needed for a new policy' });
  const { vmId, tag } = policy;
  if (vmId !== null && tag !== null) {
    problems.push({ path: 'tag', message: 'a policy is for one VM or for a tag, not both; set the other to null' });
  }
  const vm = vmId === null ? null : await findVm(deps.database.pool, caller.tenantId, vmId, nowMs);
  if (vmId !== null && vm === null) return [...problems, { path: 'vmId', message: 'there is no such VM' }];
  const verifies = [policy.action, policy.escalationAction].some((action) => !TELLING.has(action));
  const slowest = verifies
    ? await findSlowestCheck(deps.database.pool, caller.tenantId, { vmId: vm?.id ?? null, tag })
    : null;
  if (slowest && policy.verifySeconds < slowest.seconds) {
    const { seconds, checkType, vmName } = slowest;
    const message = `must be at least ${seconds}: the ${checkType} check of VM "${vmName}" takes its interval and timeout to answer`;
    problems.push({ path: 'verifySeconds', message });
  }
  return problems;
}
