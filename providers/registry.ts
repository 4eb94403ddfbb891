import type { ProviderReference } from '../domain/provider-reference.ts';
import { createLocalProvider } from './local/local-provider.ts';
import type { Provider } from './provider.ts';
import { createQemuProvider, type QemuDependencies } from './qemu/qemu-provider.ts';

/** Settings of all providers; each takes what it needs. */
export type ProviderDependencies = QemuDependencies;

/** Every provider by its kind. A new hypervisor is one folder here and one line below. */
export function createProviders(dependencies: ProviderDependencies): ReadonlyMap<ProviderReference['kind'], Provider> {
  const providers = [createQemuProvider(dependencies), createLocalProvider()];
  return new Map(providers.map((provider) => [provider.kind, provider]));
}
