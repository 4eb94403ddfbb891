import { z } from 'zod';
import { PEOPLE } from '../../domain/roles.ts';
import type { ProviderKind } from '../provider.ts';

const REFUSAL =
  'This VM has no hypervisor that Defib knows (provider none), so its power is never touched. Restart it by hand, or name its ' +
  'hypervisor as its provider.';

/** No hypervisor: a physical machine, or a VM of somebody else's. It is looked at and people are told; it is never power-cycled. */
export const none: ProviderKind<Record<string, never>, null> = {
  kind: 'none',
  reference: z.strictObject({ kind: z.literal('none') }),
  example: { kind: 'none' },
  namedBy: { roles: PEOPLE, refusal: '' },
  managedBy: [],
  actions: new Set(),
  config: z.strictObject({}),
  credentials: z.null(),
  fromSettings: () => ({ config: {}, credentials: null }),
  connect: () => ({
    register: async () => ({ ok: true, reference: { kind: 'none' }, key: null, warning: null }),
    // nobody can say otherwise, and nothing is done because of it
    state: async () => ({ ok: true, state: { power: 'running', detail: 'no hypervisor to ask' } }),
    prepare: async () => ({ ok: false, reason: 'unsupported', message: REFUSAL }),
    readBack: async () => ({ verdict: 'cannot-tell', detail: REFUSAL }),
    test: async () => ({ ok: true, detail: 'no hypervisor to ask' }),
  }),
};
