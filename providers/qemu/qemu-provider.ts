import { z } from 'zod';
import type { PowerAction, ReadBack } from '../../domain/power.ts';
import type { ProviderReference } from '../../domain/provider-reference.ts';
import type { PreparedAction, Provider, ProviderTrouble, Registration, StateAnswer } from '../provider.ts';
import { prepareAction, QEMU_ACTIONS, readStatus } from './qemu-action.ts';
import { QmpConnection } from './qmp-connection.ts';
import { QMP_SOCKET_REFUSAL, registerQmpSocket, resolveQmpSocket, testFolders } from './socket-path.ts';
import { objectionTo, readBackOf } from './vm-status.ts';

export interface QemuDependencies {
  /** The only folders whose sockets are ever connected to. */
  qmpSocketDirs: readonly string[];
  /** Sockets are files of a machine of this site: the same path at another site is another VM. `main` unless given. */
  site?: string;
  /** How long to wait for QMP's greeting before the monitor counts as busy; 2,000 ms unless given. */
  greetingMs?: number;
}

/** A VM is named by its QMP socket. */
export const qemuReference = z.strictObject({
  kind: z.literal('qemu'),
  qmpSocket: z.string('must be a path').max(4_096),
});

/**
 * QEMU over QMP. Every call connects, acts and closes, and sends its command at most once. `stop` freezes the CPUs and
 * keeps the memory; `start` and `resume` let them run on, `start` from a shut-down VM resets it first. A `reset` also
 * starts a VM that was not running.
 */
export function createQemuProvider(deps: QemuDependencies): Provider {
  return {
    register: (reference) => register(deps, reference),
    state: (reference, timeoutMs) => readState(deps, reference, performance.now() + timeoutMs),
    prepare: (reference, action, timeoutMs) => prepare(deps, reference, action, performance.now() + timeoutMs),
    readBack: (reference, action, timeoutMs) => readBack(deps, reference, action, performance.now() + timeoutMs),
    test: () => testFolders(deps.qmpSocketDirs),
  };
}

async function register(deps: QemuDependencies, reference: ProviderReference): Promise<Registration> {
  const { qmpSocketDirs, site = 'main' } = deps;
  const named = qemuReference.safeParse(reference);
  const judged = named.success ? await registerQmpSocket(named.data.qmpSocket, qmpSocketDirs) : null;
  if (!judged?.ok) return { ok: false, problems: [{ path: 'qmpSocket', message: QMP_SOCKET_REFUSAL }] };
  const { qmpSocket } = judged;
  const stored = { kind: 'qemu', qmpSocket };
  return { ok: true, reference: stored, key: `qemu:${site}:${qmpSocket}`, warning: await warningOf(deps, stored) };
}

/** A VM may be registered while it is off, but perhaps the path was mistyped. */
async function warningOf(deps: QemuDependencies, reference: ProviderReference): Promise<string | null> {
  const answer = await readState(deps, reference, performance.now() + REGISTER_LIMIT_MS);
  if (answer.ok || answer.reason !== 'unreachable') return null;
  return `Nothing listens at this qmpSocket now: ${answer.message} Until something does, the VM can't be healed.`;
}

const REGISTER_LIMIT_MS = 500;

async function readState(deps: QemuDependencies, reference: ProviderReference, untilMs: number): Promise<StateAnswer> {
  const opened = await connect(deps, reference, untilMs);
  if (!opened.ok) return opened;
  const status = await readStatus(opened.connection, untilMs);
  opened.connection.close();
  return status;
}

async function prepare(
  deps: QemuDependencies,
  reference: ProviderReference,
  action: PowerAction,
  untilMs: number,
): Promise<{ ok: true; prepared: PreparedAction } | ProviderTrouble> {
  if (!QEMU_ACTIONS.has(action)) {
    return { ok: false, reason: 'unsupported', message: `QEMU without a guest agent can't ${action} a VM. Use reset.` };
  }
  const opened = await connect(deps, reference, untilMs);
  if (!opened.ok) return opened;
  const { connection } = opened;
  const status = await readStatus(connection, untilMs);
  const objection = status.ok ? objectionTo(action, status.state) : null;
  if (status.ok && objection === null) return { ok: true, prepared: prepareAction(action, status.state, connection) };
  connection.close();
  return status.ok ? { ok: false, reason: 'refused', message: objection ?? '' } : status;
}

async function readBack(
  deps: QemuDependencies,
  reference: ProviderReference,
  action: PowerAction,
  untilMs: number,
): Promise<ReadBack> {
  const answer = await readState(deps, reference, untilMs);
  return answer.ok ? readBackOf(action, answer.state) : { verdict: 'cannot-tell', detail: answer.message };
}

async function connect(
  deps: QemuDependencies,
  reference: ProviderReference,
  untilMs: number,
): Promise<{ ok: true; connection: QmpConnection } | ProviderTrouble> {
  const named = qemuReference.safeParse(reference);
  if (!named.success) {
    return { ok: false, reason: 'unsupported', message: `QEMU can't reach a VM of kind ${reference.kind}.` };
  }
  const socket = await resolveQmpSocket(named.data.qmpSocket, deps.qmpSocketDirs);
  if (!socket.ok) return socket;
  return QmpConnection.open(socket.path, { greetingMs: deps.greetingMs ?? 2000, untilMs });
}
