import type { NewCheck } from '../db/fleet/vm-registration.ts';
import type { Role } from '../domain/roles.ts';
import type { Settings } from '../domain/settings.ts';
import type { CheckInput } from './schemas/checks.ts';

/** What counts where a check does not set it. A null timeout is 10 s, or the interval where that is shorter. */
const DEFAULTS = {
  name: '',
  target: null,
  intervalSeconds: 60,
  retryIntervalSeconds: null,
  timeoutSeconds: null,
  failureThreshold: 3,
  successThreshold: 1,
  staleAfterSeconds: null,
  options: {},
  enabled: true,
  trusted: false,
  aimedBy: 'USER',
} satisfies Omit<NewCheck, 'checkType'>;

/** A whole check from what someone sent, over what there was before, over the defaults. Who names target or options aims it. */
export function completeCheck(input: CheckInput, by: Role, before: NewCheck | null = null): NewCheck {
  const aims = before === null || input.target !== undefined || input.options !== undefined;
  return { ...DEFAULTS, ...before, ...input, ...(aims ? { aimedBy: by } : {}) };
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
