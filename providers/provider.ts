import type { PowerAction } from '../domain/power.ts';
import type { ProviderReference } from '../domain/provider-reference.ts';

/** What a hypervisor says of one VM. `unknown` = it answered, but not in words we can read. */
export interface VmPowerState {
  power: 'running' | 'paused' | 'off' | 'panicked' | 'unknown';
  /** The hypervisor's own word, e.g. QMP's `prelaunch`. */
  detail: string;
  /** Changes when the VM boots, where the hypervisor can tell (boot id, uptime since); null where it can't. */
  bootMark: string | null;
}

/** Why a hypervisor gave no answer. The message says what to do next. */
export interface ProviderTrouble {
  ok: false;
  reason: 'unreachable' | 'busy' | 'slow' | 'garbage' | 'refused' | 'unsupported';
  message: string;
}

export type StateAnswer = { ok: true; state: VmPowerState } | ProviderTrouble;

/**
 * How a power action ended. `not-sent`: surely nothing was sent, so nothing happened. `done`: the hypervisor confirmed.
 * `in-doubt`: it may or may not have acted; never send again for the same operation, read back instead.
 */
export type PowerOutcome =
  | { outcome: 'done'; detail: string }
  | { outcome: 'not-sent'; reason: ProviderTrouble['reason']; message: string }
  | { outcome: 'in-doubt'; message: string };

/** One hypervisor kind behind one port. No method throws for a hypervisor that is away, slow or lying. */
export interface Provider {
  readonly kind: ProviderReference['kind'];
  /** The remedies this provider can carry out, e.g. qemu can't migrate. */
  readonly supports: ReadonlySet<PowerAction>;
  /** Whether an action in doubt can be read back (task, uptime, boot id). Where not, the verify window judges. */
  readonly canReadBack: boolean;
  /** Reads the VM's state; answers within `timeoutMs`. */
  state(reference: ProviderReference, timeoutMs: number): Promise<StateAnswer>;
  /** Carries out one action, at most once; answers within `timeoutMs`. */
  power(reference: ProviderReference, action: PowerAction, timeoutMs: number): Promise<PowerOutcome>;
}
