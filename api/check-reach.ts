import type { CheckRules, CheckSettings } from '../checks/check.ts';
import { findCheckTargets } from '../db/access/tenants.ts';
import type { Database } from '../db/database.ts';
import { AppError } from '../domain/app-error.ts';
import type { Reach } from '../domain/reach.ts';
import { ADMINS, type Role } from '../domain/roles.ts';
import type { Caller } from './caller.ts';

/** What a caller's checks of a VM at this address may reach. */
export async function reachOf(
  { pool }: Pick<Database, 'pool'>,
  { tenantId, role }: Pick<Caller, 'tenantId' | 'role'>,
  vmAddress: string | null,
): Promise<Reach> {
  return { vmAddress, byAdmin: isAdmin(role), tenantTargets: await findCheckTargets(pool, tenantId) };
}

export function isAdmin(role: Role): boolean {
  return ADMINS.includes(role);
}

/** Why only an administrator's check may connect where this one would; null when others may too, or nobody. */
export function adminsOnly(rules: CheckRules, check: CheckSettings, reach: Reach): string | null {
  const refusal = rules.refusal(check, { ...reach, byAdmin: false });
  return refusal !== null && rules.refusal(check, { ...reach, byAdmin: true }) === null ? refusal : null;
}

/**
 * A check that only an administrator may set is changed, moved or removed by administrators alone.
 * @throws AppError `forbidden`
 */
export function refuseAdminsOnly(
  rules: CheckRules,
  check: { checkType: string; target?: string | null | undefined; options?: CheckSettings['options'] | undefined },
  reach: Reach,
): void {
  const { checkType, target = null, options = {} } = check;
  const reason = reach.byAdmin ? null : adminsOnly(rules, { checkType, target, options }, reach);
  if (reason !== null) throw new AppError('forbidden', `${reason} Ask an administrator of your tenant.`);
}
