import type { z } from 'zod';
import type { Problem } from '../domain/app-error.ts';
import type { PowerAction, PowerState, ReadBack } from '../domain/power.ts';
import type { ProviderReference } from '../domain/provider-reference.ts';
import type { Role } from '../domain/roles.ts';
import type { Settings } from '../domain/settings.ts';

/** What a hypervisor says of one VM. */
export interface VmPowerState {
  power: PowerState;
  /** The hypervisor's own word, e.g. QMP's `prelaunch`. */
  detail: string;
}

/** Why a hypervisor gave no answer. The message says what to do next. */
export interface ProviderTrouble {
  ok: false;
  reason: 'unreachable' | 'busy' | 'slow' | 'garbage' | 'refused' | 'unsupported';
  message: string;
}

export type StateAnswer = { ok: true; state: VmPowerState } | ProviderTrouble;

/**
 * How a power action ended. `not-sent`: it is known that nothing was sent, so nothing happened. `done`: the hypervisor
 * confirmed. `in-doubt`: it may or may not have acted; never send again for the same operation, read back instead.
 */
export type PowerOutcome =
  | { outcome: 'done'; detail: string }
  | { outcome: 'not-sent'; reason: ProviderTrouble['reason']; message: string }
  | { outcome: 'in-doubt'; message: string };

/**
 * An action that is ready to be sent: connected, and nothing sent yet. It is held for at most HOLD_MS; after that, or once
 * released, it sends nothing.
 */
export interface PreparedAction {
  /** The VM's state, as read on the connection by which the action would be sent. */
  readonly state: VmPowerState;
  /** Sends the action at once, and at most once; answers within `timeoutMs`. */
  send(timeoutMs: number): Promise<PowerOutcome>;
  /** Closes the connection. Call it in every case. */
  release(): void;
}

/** How long a prepared action may be held: meanwhile a QMP monitor serves no other client. */
export const HOLD_MS = 3_000;

/**
 * A VM that may be registered: its reference as it is to be stored, the name that no two VMs may share, if any, and what people
 * should know although it may be registered.
 */
export type Registration =
  | { ok: true; reference: ProviderReference; key: string | null; warning: string | null }
  | { ok: false; problems: Problem[] };

export type ConnectionTest = { ok: true; detail: string } | ProviderTrouble;

/**
 * One cluster or host, as it is reached from this process. No method throws because the hypervisor cannot be reached, is slow
 * or answers wrongly.
 */
export interface Provider {
  /** Judges how a user names a VM there. */
  register(reference: ProviderReference): Promise<Registration>;
  /** Reads a VM's state; answers within `timeoutMs`. */
  state(reference: ProviderReference, timeoutMs: number): Promise<StateAnswer>;
  /** Connects for one action and reads the VM's state; within `timeoutMs`. */
  prepare(
    reference: ProviderReference,
    action: PowerAction,
    timeoutMs: number,
  ): Promise<{ ok: true; prepared: PreparedAction } | ProviderTrouble>;
  /** Whether an action in doubt was carried out, as far as the VM's state shows it; within `timeoutMs`. */
  readBack(reference: ProviderReference, action: PowerAction, timeoutMs: number): Promise<ReadBack>;
  /** Whether it can be reached, and what it says of itself; answers within `timeoutMs`. */
  test(timeoutMs: number): Promise<ConnectionTest>;
}

/** How an instance is set up. */
export interface ProviderSetup<Config = unknown, Credentials = unknown> {
  /** How it is reached. Shown to those who manage it: no secrets. */
  config: Config;
  /** Stored encrypted, never shown. */
  credentials: Credentials;
}

/** Where an instance is reached from. */
export interface ProviderPlace {
  site: string;
  settings: Settings;
}

/** A kind of hypervisor: all that the rest of Defib knows of it. */
export interface ProviderKind<Config = unknown, Credentials = unknown> {
  readonly kind: string;
  /** How users name a VM there, `kind` included. */
  readonly reference: z.ZodObject<{ kind: z.ZodLiteral<string> }>;
  /** A VM named as users do, for messages and documents. */
  readonly example: ProviderReference;
  /** Who may name VMs there, and sees how they are named; to others a VM shows its provider's kind alone. */
  readonly namedBy: { roles: readonly Role[]; refusal: string };
  /** Who may add, change and remove instances. */
  readonly managedBy: readonly Role[];
  /** The power actions it can carry out. */
  readonly actions: ReadonlySet<PowerAction>;
  readonly config: z.ZodType<Config>;
  readonly credentials: z.ZodType<Credentials>;
  /** The instance that the environment sets up; null where it sets up none. */
  fromSettings(settings: Settings): ProviderSetup<Config, Credentials> | null;
  /** Reaches an instance; nothing is sent yet. */
  connect(setup: ProviderSetup<Config, Credentials>, place: ProviderPlace): Provider;
}
