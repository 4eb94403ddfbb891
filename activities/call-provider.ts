import { findProviderInstanceById } from '../db/providers/provider-instances.ts';
import type { ProviderCall, ProviderCallAnswer } from '../domain/provider-call.ts';
import type { Dependencies } from './dependencies.ts';

const TEST_LIMIT_MS = 5_000;

/** Makes one call of people's to a provider instance, from where it can be reached; never an exception. */
export async function callProvider(
  { database, providers }: Pick<Dependencies, 'database' | 'providers'>,
  call: ProviderCall,
): Promise<ProviderCallAnswer> {
  const { kind, instanceId } = call;
  const instance = instanceId === null ? null : await findProviderInstanceById(database.orm, instanceId);
  if (instanceId !== null && instance === null) {
    return { ok: false, reason: 'unsupported', message: 'There is no such provider any more.' };
  }
  const reached = providers.reach(kind, instance);
  if (!reached.ok) return reached;
  if (call.call === 'test') return reached.provider.test(TEST_LIMIT_MS);
  const registered = await reached.provider.register({ ...call.reference, kind });
  if (registered.ok) {
    const { reference, key, warning } = registered;
    return { ok: true, detail: 'may be registered', registered: { reference, key, warning } };
  }
  const { problems } = registered;
  const message = problems.map((problem) => problem.message).join('; ');
  return { ok: false, reason: 'refused', message, problems };
}
