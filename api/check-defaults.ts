import type { NewCheck } from '../db/fleet/vm-registration.ts';
import type { Settings } from '../domain/settings.ts';
import type { CheckInput } from './schemas/checks.ts';

/** What counts where a check does not set it. A null timeout is 10 s, or the interval where that is shorter. */
const DEFAULTS = {
  name: '',
  target: null,
  intervalSeconds: 60,
  timeoutSeconds: null,
  failureThreshold: 3,
  successThreshold: 1,
  staleAfterSeconds: null,
  options: {},
  enabled: true,
  trusted: false,
} satisfies Omit<NewCheck, 'checkType'>;

/** A whole check from what was sent, over what there was before, over the defaults. */
export function completeCheck(input: CheckInput, before: NewCheck | null = null): NewCheck {
  return { ...DEFAULTS, ...before, ...input };
}

/** What a new VM is checked with unless its registration says otherwise. */
export function defaultChecks(address: string | null): CheckInput[] {
  return address === null ? [] : [{ checkType: 'ping' }];
}

/** The check that an agent's first report makes. */
export function firstAgentCheck(settings: Pick<Settings, 'STALE_TIMEOUT_MS'>): NewCheck {
  const staleAfterSeconds = Math.max(1, Math.ceil(settings.STALE_TIMEOUT_MS / 1000));
  return { ...DEFAULTS, checkType: 'agent', staleAfterSeconds };
}
