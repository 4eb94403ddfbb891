import { z } from 'zod';
import { OPERATORS } from '../../domain/roles.ts';
import type { ProviderKind } from '../provider.ts';

const REFUSAL =
  'This VM is the machine Defib itself runs on: resetting or stopping it would end Defib before it could see the outcome. ' +
  'Restart it by hand, or let a Defib on another machine watch it.';

/** The machine that Defib runs on, registered once. It can be looked at; its power is never touched. */
export const local: ProviderKind<Record<string, never>, null> = {
  kind: 'local',
  reference: z.strictObject({ kind: z.literal('local') }),
  example: { kind: 'local' },
  namedBy: { roles: OPERATORS, refusal: 'Only operators may register the machine that Defib runs on.' },
  managedBy: [],
  actions: new Set(),
  config: z.strictObject({}),
  credentials: z.null(),
  fromSettings: () => ({ config: {}, credentials: null }),
  connect: () => ({
    // there is one such machine
    register: async () => ({ ok: true, reference: { kind: 'local' }, key: 'local', warning: null }),
    // this code runs on it, so it runs
    state: async () => ({ ok: true, state: { power: 'running', detail: 'this machine' } }),
    prepare: async () => ({ ok: false, reason: 'unsupported', message: REFUSAL }),
    readBack: async () => ({ verdict: 'cannot-tell', detail: REFUSAL }),
    test: async () => ({ ok: true, detail: 'this machine' }),
  }),
};
