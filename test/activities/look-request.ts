import type { LookRequest } from '../../activities/look/look.ts';

/** Asks for a look at what is due of a VM, without a limit; `given` replaces parts of it. */
export function lookRequest(vmId: string, given: Partial<LookRequest> = {}): LookRequest {
  return {
    vmId,
    mode: () => ({ paceMs: null, now: false }),
    settingsVersion: 1,
    limitMs: null,
    unstored: [],
    ...given,
  };
}
