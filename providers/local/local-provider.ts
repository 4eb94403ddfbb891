import type { Provider } from '../provider.ts';

const REFUSAL =
  'This VM is the machine Defib itself runs on: resetting or stopping it would end Defib before it could see the outcome. ' +
  'Restart it by hand, or let a Defib on another machine watch it.';

/** The machine that Defib runs on. It can be looked at; its power is never touched. */
export function createLocalProvider(): Provider {
  return {
    kind: 'local',
    supports: new Set(),
    canReadBack: false,
    // Being asked is proof enough: a machine that is off asks nothing.
    state: async () => ({ ok: true, state: { power: 'running', detail: 'this machine', bootMark: null } }),
    power: async () => ({ outcome: 'not-sent', reason: 'unsupported', message: REFUSAL }),
  };
}
