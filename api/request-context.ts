import type { Author } from '../db/access/audit.ts';
import { findVm, type VmRecord } from '../db/fleet/find-vms.ts';
import { AppError } from '../domain/app-error.ts';
import type { VmIdentity } from '../temporal/vm-signals.ts';
import type { ApiDependencies } from './dependencies.ts';
import type { Call } from './endpoint.ts';

type AnyCall = Pick<Call<unknown, unknown>, 'caller' | 'params' | 'nowMs'>;

/** The VM that the path names, by id or externalId. @throws AppError `not-found`, another tenant's VM included. */
export async function requireVm({ database }: Pick<ApiDependencies, 'database'>, call: AnyCall): Promise<VmRecord> {
  const reference = call.params.id ?? '';
  const vm = await findVm(database.pool, call.caller.tenantId, reference, call.nowMs);
  if (vm === null) throw new AppError('not-found', `There is no VM "${reference.slice(0, 200)}".`);
  return vm;
}

/** Whoever changes something by this call. */
export function authorOf({ caller, nowMs }: Pick<AnyCall, 'caller' | 'nowMs'>): Author {
  return { tenantId: caller.tenantId, actor: caller.actor, nowMs };
}

export function identityOf(vm: VmRecord): VmIdentity {
  return { vmId: vm.id, tenantId: vm.tenantId, site: vm.site };
}

const MAX_TRIES = 5;

/**
 * Reads, judges and writes until nobody changed the VM in between.
 * @throws AppError `conflict` when others keep changing it.
 */
export async function retryOnConflict<Result>(attempt: () => Promise<Result | null>): Promise<Result> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const result = await attempt();
    if (result !== null) return result;
  }
  throw new AppError('conflict', 'The VM kept being changed by others meanwhile; try again.');
}
