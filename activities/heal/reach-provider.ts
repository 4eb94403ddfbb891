import { findVmProvider } from '../../db/providers/vm-provider.ts';
import type { ProviderReference } from '../../domain/provider-reference.ts';
import type { Provider, ProviderTrouble } from '../../providers/provider.ts';
import type { Dependencies } from '../dependencies.ts';

export type Reached = { ok: true; provider: Provider; reference: ProviderReference } | ProviderTrouble;

/** A VM's provider, as this process's site reaches it. */
export async function reachProvider({ database, providers, settings }: Dependencies, vmId: string): Promise<Reached> {
  const found = await findVmProvider(database.orm, vmId);
  if (found === null) return { ok: false, reason: 'unsupported', message: 'there is no such VM' };
  // the same name at another site may be another VM
  if (found.site !== settings.DEFIB_SITE) {
    return { ok: false, reason: 'unsupported', message: `its provider is reached from site ${found.site} now` };
  }
  const reached = providers.reach(found.reference.kind, found.instance);
  return reached.ok ? { ...reached, reference: found.reference } : reached;
}
