import type { PowerAction } from '../../domain/power.ts';
import {
  HOLD_MS,
  type PowerOutcome,
  type PreparedAction,
  type ProviderTrouble,
  type VmPowerState,
} from '../provider.ts';
import type { QmpAnswer, QmpConnection } from './qmp-connection.ts';
import { isRecord, printable } from './qmp-message.ts';
import { toPowerState } from './vm-status.ts';

/** How long QEMU may take from accepting a reset to announcing it. */
const ANNOUNCEMENT_MS = 3_000;

interface Command {
  command: string;
  meaning: string;
}

const RESET: Command = { command: 'system_reset', meaning: 'reset, and running' };
const CONT: Command = { command: 'cont', meaning: 'CPUs running' };

// A gentle `reboot` needs an agent in the guest: QMP can only press the power and reset buttons.
const COMMANDS: Partial<Record<PowerAction, Command>> = {
  reset: RESET,
  shutdown: { command: 'system_powerdown', meaning: 'power button pressed; the guest decides' },
  stop: { command: 'stop', meaning: 'CPUs frozen, memory kept' },
  start: CONT,
  resume: CONT,
};

/** What can be sent to a VM over QMP. */
export const QEMU_ACTIONS: ReadonlySet<PowerAction> = new Set(Object.keys(COMMANDS) as PowerAction[]);

/** An action that is ready to be sent on this connection, which is closed afterwards. */
export function prepareAction(action: PowerAction, state: VmPowerState, connection: QmpConnection): PreparedAction {
  const release = () => {
    clearTimeout(timer);
    connection.close();
  };
  const timer = setTimeout(release, HOLD_MS);
  return {
    state,
    async send(timeoutMs) {
      clearTimeout(timer);
      try {
        return await send(action, state, connection, performance.now() + timeoutMs);
      } finally {
        release();
      }
    },
    release,
  };
}

async function send(
  action: PowerAction,
  state: VmPowerState,
  connection: QmpConnection,
  untilMs: number,
): Promise<PowerOutcome> {
  // a VM that was shut down can't be continued, only reset
  const chosen = action === 'start' && state.power === 'off' ? RESET : COMMANDS[action];
  if (!chosen) return notSent('unsupported', `QEMU without a guest agent can't ${action} a VM. Use reset.`);
  const answer = await connection.execute(chosen.command, untilMs);
  if (!answer.ok) return outcomeOf(chosen.command, answer);
  if (chosen === RESET) return awaitReset(connection, untilMs);
  return { outcome: 'done', detail: `${chosen.command}: ${chosen.meaning}` };
}

/**
 * After QEMU accepted a reset: `done` only once it has announced it and the VM runs. Everything else is `in-doubt` with
 * what is known; the caller must not reset again, and the verify window judges.
 */
async function awaitReset(connection: QmpConnection, untilMs: number): Promise<PowerOutcome> {
  const announced = await connection.announcedReset(Math.min(untilMs, performance.now() + ANNOUNCEMENT_MS));
  if (!announced) {
    return inDoubt('QEMU accepted system_reset but announced no reset. Does it run with -no-reboot?');
  }
  const status = await readStatus(connection, untilMs);
  if (!status.ok) return inDoubt(`The VM was reset, but whether it runs is not known: ${status.message}`);
  const { power, detail } = status.state;
  if (power === 'running') return { outcome: 'done', detail: 'system_reset: announced, running' };
  const resumed = await connection.execute('cont', untilMs);
  if (resumed.ok) return { outcome: 'done', detail: `system_reset: announced, was ${detail}; cont: running` };
  return inDoubt(`The VM was reset, but may not be running (${detail}): ${resumed.message}`);
}

/** Reads the VM's state over a connection. */
export async function readStatus(
  connection: QmpConnection,
  untilMs: number,
): Promise<{ ok: true; state: VmPowerState } | ProviderTrouble> {
  const answer = await connection.execute('query-status', untilMs);
  if (!answer.ok) return { ok: false, reason: answer.reason, message: answer.message };
  if (isRecord(answer.value) && typeof answer.value.status === 'string') {
    const state = toPowerState(printable(answer.value.status));
    // QEMU says it once, as an event; the state is `running` while the guest writes
    return { ok: true, state: connection.crashLoaded ? { power: 'dumping', detail: 'GUEST_CRASHLOADED' } : state };
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
