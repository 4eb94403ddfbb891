import type { Author } from '../db/access/audit.ts';
import type { Database } from '../db/database.ts';
import { findVm, type VmRecord } from '../db/fleet/find-vms.ts';
import { findKnownVm, type KnownVm } from '../db/fleet/known-vm.ts';
import { AppError } from '../domain/app-error.ts';
import type { VmIdentity } from '../temporal/vm-signals.ts';
import type { Caller } from './caller.ts';

/** Who asks, when, and what the path names. */
export interface RequestContext {
  caller: Caller;
  params: Readonly<Record<string, string>>;
  nowMs: number;
  /** The header of that name. */
  ifMatch: string | null;
}

/** The VM that the path names, by id or externalId. @throws AppError `not-found`, another tenant's VM included. */
export async function requireVm(
  { database }: { database: Database },
  { caller, params, nowMs }: Pick<RequestContext, 'caller' | 'params' | 'nowMs'>,
): Promise<VmRecord> {
  const reference = params.id ?? '';
  const vm = await findVm(database.pool, caller.tenantId, reference, nowMs);
  if (vm === null) throw noSuchVm(reference);
  return vm;
}

/**
 * The same, or the VM that the path named last before it was deleted: its history is kept. @throws AppError `not-found`.
 */
export async function requireKnownVm(
  { database }: { database: Database },
  { caller, params }: Pick<RequestContext, 'caller' | 'params'>,
): Promise<KnownVm> {
  const reference = params.id ?? '';
  const vm = await findKnownVm(database.pool, caller.tenantId, reference);
  if (vm === null) throw noSuchVm(reference);
  return vm;
}

function noSuchVm(reference: string): AppError {
  return new AppError('not-found', `There is no VM "${reference.slice(0, 200)}".`);
}

/** Whoever changes something by this call. */
export function authorOf({ caller, nowMs }: Pick<RequestContext, 'caller' | 'nowMs'>): Author {
  return { tenantId: caller.tenantId, actor: caller.actor, nowMs };
}

/** A VM as its workflow is started with. */
export function identityOf(vm: VmRecord): VmIdentity {
  return { vmId: vm.id, tenantId: vm.tenantId, site: vm.site, name: vm.name };
}
