import type { Probe } from '../../checks/check.ts';
import type { ProviderReference } from '../../domain/provider-reference.ts';
import type { Provider } from '../../providers/provider.ts';
import type { Providers } from '../../providers/providers.ts';
import { qemu } from '../../providers/qemu/kind.ts';
import { FakeSite } from '../scenarios/world/fake-site.ts';

/** VMs side by side, each with a hypervisor of its own. A VM is named by its place; so are its address and its socket. */
export class SimulatedSite {
  readonly vms: readonly FakeSite[];

  constructor(count: number, now: () => number, sleep: (ms: number) => Promise<void>) {
    this.vms = Array.from({ length: count }, () => new FakeSite(now, sleep));
  }

  /** What reached a hypervisor, in order. */
  commandsOf(vm: number): FakeSite['powerCommands'] {
    return this.vms[vm]?.powerCommands ?? [];
  }

  readonly probes: ReadonlyMap<string, Probe> = new Map(
    (['http', 'ping', 'agent', 'certificate'] as const).map((type) => [
      type,
      {
        about: type === 'certificate' ? 'load' : 'alive',
        needsCorroboration: type === 'agent',
        needs: [],
        probe: (input) => this.#at(input.address)[type].probe(input),
      } satisfies Probe,
    ]),
  );

  readonly providers: Providers = {
    kinds: new Map([['qemu', qemu]]),
    reach: () => ({ ok: true, provider: this.#provider }),
  };

  readonly #provider: Provider = {
    register: (reference) => this.#providerOf(reference).register(reference),
    test: async () => ({ ok: true, detail: 'simulated' }),
    state: (reference, timeoutMs) => this.#providerOf(reference).state(reference, timeoutMs),
    prepare: (reference, action, timeoutMs) => this.#providerOf(reference).prepare(reference, action, timeoutMs),
    readBack: (reference, action, timeoutMs) => this.#providerOf(reference).readBack(reference, action, timeoutMs),
  };

  #providerOf(reference: ProviderReference): Provider {
    const reached = this.#at(String(reference['qmpSocket'])).providers.reach('qemu', null);
    if (!reached.ok) throw new Error(reached.message);
    return reached.provider;
  }

  #at(name: string | null): FakeSite {
    const site = this.vms[Number(name)];
    if (site === undefined) throw new Error(`no VM is at ${name}`);
    return site;
  }
}
