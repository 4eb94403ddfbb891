import type { Settings } from '../domain/settings.ts';
import type { Provider, ProviderKind, ProviderPlace, ProviderTrouble } from './provider.ts';

/** A stored instance, as far as reaching it needs it. */
export interface StoredInstance {
  id: string;
  kind: string;
  site: string;
  config: Record<string, unknown>;
  /** Sealed; null = it needs none. */
  credentials: string | null;
  revision: number;
}

/** The providers that this process can reach. */
export interface Providers {
  readonly kinds: ReadonlyMap<string, ProviderKind>;
  /** The stored instance, or (null) what this process's environment sets up for a kind. Never throws. */
  reach(kind: string, instance: StoredInstance | null): { ok: true; provider: Provider } | ProviderTrouble;
}

export interface ProvidersOptions {
  settings: Settings;
  /** Opens sealed credentials; throws an error whose message says why it can't. */
  openCredentials(sealed: string): unknown;
}

/** Connects each instance once per revision. */
export function createProviders(kinds: readonly ProviderKind[], options: ProvidersOptions): Providers {
  const { settings, openCredentials } = options;
  const byKind = new Map(kinds.map((kind) => [kind.kind, kind]));
  const connected = new Map<string, { revision: number; provider: Provider }>();

  function connect(kind: ProviderKind, instance: StoredInstance | null): Provider | null {
    const place: ProviderPlace = { site: instance?.site ?? settings.DEFIB_SITE, settings };
    if (instance === null) {
      const setup = kind.fromSettings(settings);
      return setup && kind.connect(setup, place);
    }
    const config = kind.config.safeParse(instance.config);
    const credentials = kind.credentials.safeParse(
      instance.credentials === null ? null : openCredentials(instance.credentials),
    );
    if (!config.success || !credentials.success) {
      // what exactly is wrong with credentials is not for logs and answers
      throw new Error('what is stored of it is not what this version needs: set its config and credentials again');
    }
    return kind.connect({ config: config.data, credentials: credentials.data }, place);
  }

  return {
    kinds: byKind,
    reach(kindName, instance) {
      const kind = byKind.get(kindName);
      if (kind === undefined) return unsupported(`This Defib knows no provider of kind ${kindName}.`);
      const id = instance?.id ?? `environment/${kindName}`;
      const revision = instance?.revision ?? 0;
      const held = connected.get(id);
      if (held?.revision === revision) return { ok: true, provider: held.provider };
      try {
        const provider = connect(kind, instance);
        if (provider === null) {
          return unsupported(`Site ${settings.DEFIB_SITE} has no ${kindName} set up in its environment.`);
        }
        connected.set(id, { revision, provider });
        return { ok: true, provider };
      } catch (error) {
        return unsupported(`Provider ${id} can't be used: ${error instanceof Error ? error.message : String(error)}`);
      }
    },
  };
}

function unsupported(message: string): ProviderTrouble {
  return { ok: false, reason: 'unsupported', message };
}
