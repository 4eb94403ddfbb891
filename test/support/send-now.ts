import type { PowerAction } from '../../domain/power.ts';
import type { ProviderReference } from '../../domain/provider-reference.ts';
import type { PowerOutcome, Provider } from '../../providers/provider.ts';

/** Prepares an action and sends it at once. */
export async function sendNow(
  provider: Provider,
  reference: ProviderReference,
  action: PowerAction,
  timeoutMs: number,
): Promise<PowerOutcome> {
  const answer = await provider.prepare(reference, action, timeoutMs);
  if (!answer.ok) return { outcome: 'not-sent', reason: answer.reason, message: answer.message };
  return answer.prepared.send(timeoutMs);
}
