import { findVmProvider } from '../../db/providers/vm-provider.ts';
import type { ProviderFact } from '../../domain/facts.ts';
import type { ProviderAnswer } from '../contract.ts';
import type { Dependencies } from '../dependencies.ts';

const STATE_LIMIT_MS = 5_000;

/** Asks a VM's provider how the VM is; an answer or the reason why there is none, never an exception. */
export async function askProvider(deps: Dependencies, vmId: string): Promise<ProviderAnswer> {
  const found = await findVmProvider(deps.database.orm, vmId);
  const site = deps.settings.DEFIB_SITE;
  if (found === null) return { site, fact: { answered: false, reason: 'unsupported', message: 'there is no such VM' } };
  const reached = deps.providers.reach(found.reference.kind, found.instance);
  const answer = reached.ok ? await reached.provider.state(found.reference, STATE_LIMIT_MS) : reached;
  const fact: ProviderFact = answer.ok
    ? { answered: true, power: answer.state.power, detail: answer.state.detail }
    : { answered: false, reason: answer.reason, message: answer.message };
  return { site, fact };
}
