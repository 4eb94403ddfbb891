import type { ProviderFact } from '../../domain/facts.ts';
import type { ProviderAnswer } from '../contract.ts';
import type { Dependencies } from '../dependencies.ts';
import { reachProvider } from './reach-provider.ts';

const STATE_LIMIT_MS = 5_000;

/** Asks a VM's provider how the VM is; an answer or the reason why there is none, never an exception. */
export async function askProvider(deps: Dependencies, vmId: string): Promise<ProviderAnswer> {
  const reached = await reachProvider(deps, vmId);
  const answer = reached.ok ? await reached.provider.state(reached.reference, STATE_LIMIT_MS) : reached;
  const fact: ProviderFact = answer.ok
    ? { answered: true, power: answer.state.power, detail: answer.state.detail }
    : { answered: false, reason: answer.reason, message: answer.message };
  const site = deps.settings.DEFIB_SITE;
  const line = fact.answered ? fact.detail : fact.message;
  return { line: `${line} (asked at site ${site})`, site, fact };
}
