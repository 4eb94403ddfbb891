import { z } from 'zod';
import type { ProviderKind } from './provider.ts';

/** What such a kind says of itself. */
export interface WatchedOnly {
  kind: string;
  namedBy: ProviderKind['namedBy'];
  /** The name that no two VMs may share; null = any number of VMs is so. */
  key: string | null;
  /** What stands for the hypervisor's own word. */
  detail: string;
  /** Why nothing is done to its power, and what to do instead. */
  refusal: string;
}

/** A kind whose VMs are looked at, and whose power is never touched. Nobody can say otherwise, so they are taken to run. */
export function watchedOnly({
  kind,
  namedBy,
  key,
  detail,
  refusal,
}: WatchedOnly): ProviderKind<Record<string, never>, null> {
  return {
    kind,
    reference: z.strictObject({ kind: z.literal(kind) }),
    example: { kind },
    namedBy,
    managedBy: [],
    actions: new Set(),
    config: z.strictObject({}),
    credentials: z.null(),
    fromSettings: () => ({ config: {}, credentials: null }),
    connect: () => ({
      register: async () => ({ ok: true, reference: { kind }, key, warning: null }),
      state: async () => ({ ok: true, state: { power: 'running', detail } }),
      prepare: async () => ({ ok: false, reason: 'unsupported', message: refusal }),
      readBack: async () => ({ verdict: 'cannot-tell', detail: refusal }),
      test: async () => ({ ok: true, detail }),
    }),
  };
}
