import { z } from 'zod';
import { databaseTrouble } from '../db/database-trouble.ts';
import type { CommittedVm } from '../db/fleet/vm-changes.ts';
import { recordAnnounced } from '../db/fleet/vm-changes.ts';
import type { Delivery } from '../temporal/vm-signals.ts';
import type { ApiDependencies } from './dependencies.ts';
import { etagOf } from './if-match.ts';

/** Announces to a VM's workflow what was committed. False when that wasn't delivered: `reconcile` announces it later. */
export async function announceChange(
  deps: Pick<ApiDependencies, 'database' | 'temporal' | 'logger'>,
  vm: CommittedVm,
  lookSooner: boolean,
): Promise<boolean> {
  return recordDelivery(deps, vm, await deps.temporal.announce({ ...vm, lookSooner }));
}

/** Ends a deleted VM's workflow; one that isn't there has ended. False when that wasn't delivered: `reconcile` ends it later. */
export async function announceDeletion(
  deps: Pick<ApiDependencies, 'database' | 'temporal' | 'logger'>,
  vm: CommittedVm,
): Promise<boolean> {
  const delivery = await deps.temporal.retire(vm.vmId);
  return recordDelivery(deps, vm, !delivery.ok && delivery.reason === 'not-found' ? { ok: true } : delivery);
}

type Headers = Record<string, string>;

/** 200; or 202 with `announced: false` when the change is committed but its announcement is still to come. */
export function changedAnswer<const Body extends object>(
  body: Body,
  announced: boolean,
): { headers: Headers } & ({ status: 200; body: Body } | { status: 202; body: Body & { announced: false } }) {
  const headers: Headers = 'revision' in body ? { ETag: etagOf(Number(body.revision)) } : {};
  return announced ? { headers, status: 200, body } : { headers, status: 202, body: { ...body, announced: false } };
}

/** The schema of the 202 that `changedAnswer` answers beside a 200 of this schema. */
export function unannounced<Shape extends z.ZodRawShape>(schema: z.ZodObject<Shape>) {
  return schema.extend({ announced: z.literal(false) });
}

async function recordDelivery(
  { database, logger }: Pick<ApiDependencies, 'database' | 'logger'>,
  vm: CommittedVm,
  delivery: Delivery,
): Promise<boolean> {
  if (!delivery.ok) {
    logger.warn({ vmId: vm.vmId, version: vm.version, reason: delivery.message }, 'a change waits to be announced');
    return false;
  }
  try {
    await recordAnnounced(database.pool, vm.vmId, vm.version);
  } catch (error) {
    // it was delivered; `reconcile` delivers it again, which changes nothing
    if (databaseTrouble(error) === null) throw error;
  }
  return true;
}
