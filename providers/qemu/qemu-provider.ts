import { z } from 'zod';
import type { PowerAction } from '../../domain/power.ts';
import type { ProviderReference } from '../../domain/provider-reference.ts';
import type { PowerOutcome, Provider, ProviderTrouble, StateAnswer } from '../provider.ts';
import { type QmpAnswer, QmpConnection } from './qmp-connection.ts';
import { isRecord, printable } from './qmp-message.ts';
import { QMP_SOCKET_REFUSAL, registerQmpSocket, resolveQmpSocket, testFolders } from './socket-path.ts';
import { objectionTo, toPowerState } from './vm-status.ts';

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

/** How long QEMU may take from accepting a reset to announcing it. */
const ANNOUNCEMENT_MS = 3000;

// A gentle `reboot` needs somebody inside the guest; QMP can only press buttons.
const COMMANDS: Partial<Record<PowerAction, { command: string; meaning: string }>> = {
  reset: { command: 'system_reset', meaning: 'reset, and running' },
  shutdown: { command: 'system_powerdown', meaning: 'power button pressed; the guest decides' },
  stop: { command: 'stop', meaning: 'CPUs frozen, memory kept' },
  start: { command: 'cont', meaning: 'CPUs running' },
};

export const QEMU_ACTIONS: ReadonlySet<PowerAction> = new Set(Object.keys(COMMANDS) as PowerAction[]);

/**
 * QEMU over QMP. Every call connects, acts and closes, and sends its command at most once. `stop` freezes the CPUs and
 * keeps the memory; `start` lets them run on. A `reset` also starts a VM that was not running.
 */
export function createQemuProvider(deps: QemuDependencies): Provider {
  return {
    register: (reference) => register(deps, reference),
    state: (reference, timeoutMs) => readState(deps, reference, performance.now() + timeoutMs),
    power: (reference, action, timeoutMs) => act(deps, reference, action, performance.now() + timeoutMs),
    test: () => testFolders(deps.qmpSocketDirs),
  };
}

async function register({ qmpSocketDirs, site = 'main' }: QemuDependencies, reference: ProviderReference) {
  const named = qemuReference.safeParse(reference);
  const judged = named.success ? await registerQmpSocket(named.data.qmpSocket, qmpSocketDirs) : null;
  if (!judged?.ok) return { ok: false as const, problems: [{ path: 'qmpSocket', message: QMP_SOCKET_REFUSAL }] };
  const { qmpSocket } = judged;
  return { ok: true as const, reference: { kind: 'qemu', qmpSocket }, key: `qemu:${site}:${qmpSocket}` };
}

async function readState(deps: QemuDependencies, reference: ProviderReference, untilMs: number): Promise<StateAnswer> {
  const opened = await connect(deps, reference, untilMs);
  if (!opened.ok) return opened;
  const status = await readStatus(opened.connection, untilMs);
  opened.connection.close();
  return status.ok ? { ok: true, state: toPowerState(status.word) } : status;
}

async function act(
  deps: QemuDependencies,
  reference: ProviderReference,
  action: PowerAction,
  untilMs: number,
): Promise<PowerOutcome> {
  const chosen = COMMANDS[action];
  if (!chosen) return notSent('unsupported', `QEMU without a guest agent can't ${action} a VM. Use reset.`);
  const opened = await connect(deps, reference, untilMs);
  if (!opened.ok) return notSent(opened.reason, opened.message);
  const { connection } = opened;
  try {
    const status = await readStatus(connection, untilMs);
    if (!status.ok) return notSent(status.reason, status.message);
    const objection = objectionTo(action, status.word);
    if (objection) return notSent('refused', objection);
    const answer = await connection.execute(chosen.command, untilMs);
    if (!answer.ok) return outcomeOf(chosen.command, answer);
    if (action === 'reset') return await seeThrough(connection, untilMs);
    return { outcome: 'done', detail: `${chosen.command}: ${chosen.meaning}` };
  } finally {
    connection.close();
  }
}

/**
 * After QEMU accepted a reset: `done` only once it has announced it and the VM runs. Everything else is `in-doubt` with
 * what is known; the caller must not reset again, and the verify window judges.
 */
async function seeThrough(connection: QmpConnection, untilMs: number): Promise<PowerOutcome> {
  const announced = await connection.announcedReset(Math.min(untilMs, performance.now() + ANNOUNCEMENT_MS));
  if (!announced) {
    return inDoubt('QEMU accepted system_reset but announced no reset. Does it run with -no-reboot?');
  }
  const status = await readStatus(connection, untilMs);
  if (!status.ok) return inDoubt(`The VM was reset, but whether it runs is not known: ${status.message}`);
  if (status.word === 'running') return { outcome: 'done', detail: 'system_reset: announced, running' };
  const resumed = await connection.execute('cont', untilMs);
  if (resumed.ok) return { outcome: 'done', detail: `system_reset: announced, was ${status.word}; cont: running` };
  return inDoubt(`The VM was reset, but may not be running (${status.word}): ${resumed.message}`);
}

async function connect(deps: QemuDependencies, reference: ProviderReference, untilMs: number) {
  const named = qemuReference.safeParse(reference);
  if (!named.success) {
    return {
      ok: false as const,
      reason: 'unsupported' as const,
      message: `QEMU can't reach a VM of kind ${reference.kind}.`,
    };
  }
  const socket = await resolveQmpSocket(named.data.qmpSocket, deps.qmpSocketDirs);
  if (!socket.ok) return socket;
  return QmpConnection.open(socket.path, { greetingMs: deps.greetingMs ?? 2000, untilMs });
}

async function readStatus(
  connection: QmpConnection,
  untilMs: number,
): Promise<{ ok: true; word: string } | ProviderTrouble> {
  const answer = await connection.execute('query-status', untilMs);
  if (!answer.ok) return { ok: false, reason: answer.reason, message: answer.message };
  if (isRecord(answer.value) && typeof answer.value.status === 'string') {
    return { ok: true, word: printable(answer.value.status) };
  }
  return { ok: false, reason: 'garbage', message: 'QEMU answered query-status without a status.' };
}

/** A refusal is an answer: nothing was done. Any other trouble after the bytes were handed over leaves doubt. */
function outcomeOf(command: string, answer: Extract<QmpAnswer, { ok: false }>): PowerOutcome {
  if (!answer.written || answer.reason === 'refused') return notSent(answer.reason, answer.message);
  return inDoubt(`${command} was sent, but not confirmed: ${answer.message}`);
}

function notSent(reason: ProviderTrouble['reason'], message: string): PowerOutcome {
  return { outcome: 'not-sent', reason, message };
}

function inDoubt(message: string): PowerOutcome {
  return { outcome: 'in-doubt', message };
}
