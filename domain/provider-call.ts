import type { Problem } from './app-error.ts';
import type { JsonValue } from './json-value.ts';
import type { ProviderReference } from './provider-reference.ts';

/** What people ask of a provider. `instanceId` null = of what the environment of the site sets up for the kind. */
export type ProviderCall = { kind: string; instanceId: string | null } & (
  | { call: 'test' }
  /** How a user's way of naming a VM there is stored. */
  | { call: 'register'; reference: { [field: string]: JsonValue } }
);

export type ProviderCallAnswer =
  | {
      ok: true;
      detail: string;
      registered?: { reference: ProviderReference; key: string | null; warning?: string | null };
    }
  | { ok: false; reason: string; message: string; problems?: Problem[] };
