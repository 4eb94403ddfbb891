import { eq } from 'drizzle-orm';
import type { ProviderReference } from '../../domain/provider-reference.ts';
import type { Queryable } from '../database.ts';
import { providerInstances } from '../schema/providers.ts';
import { vms } from '../schema/vms.ts';
import type { ProviderInstanceRow } from './provider-instances.ts';

/** How a VM is reached at its provider. */
export interface VmProvider {
  reference: ProviderReference;
  /** Where calls about it run. */
  site: string;
  /** Null = what the environment of that site sets up. */
  instance: ProviderInstanceRow | null;
}

/** Of one VM, deleted ones too; null when there is none. */
export async function findVmProvider(db: Queryable, vmId: string): Promise<VmProvider | null> {
  const [row] = await db
    .select({ reference: vms.provider, vmSite: vms.site, instance: providerInstances })
    .from(vms)
    .leftJoin(providerInstances, eq(providerInstances.id, vms.providerInstanceId))
    .where(eq(vms.id, vmId));
  if (!row) return null;
  const { reference, vmSite, instance } = row;
  return { reference, site: instance?.site ?? vmSite, instance };
}
