import type { PowerAction, PowerState, ReadBack } from '../../domain/power.ts';
import type { VmPowerState } from '../provider.ts';

/** QMP's run states (QEMU docs, qapi/run-state.json, RunState). */
const STATES: Record<string, PowerState> = {
  running: 'running',
  paused: 'paused',
  prelaunch: 'starting',
  preconfig: 'starting',
  suspended: 'suspended',
  'save-vm': 'saving',
  'restore-vm': 'restoring',
  inmigrate: 'migrating',
  'finish-migrate': 'migrating',
  postmigrate: 'migrating',
  colo: 'migrating',
  debug: 'debugging',
  'io-error': 'storage-failed',
  shutdown: 'off',
  'guest-panicked': 'panicked',
  'internal-error': 'panicked',
  watchdog: 'panicked',
};

/** Translates QMP's name of a VM's state; unknown names become `unknown`. */
export function toPowerState(status: string): VmPowerState {
  const power = Object.hasOwn(STATES, status) ? STATES[status] : undefined;
  return { power: power ?? 'unknown', detail: status };
}

/** Being moved between hosts, or to or from a file: the VM may run elsewhere already, and must not run twice. */
const IN_TRANSIT: ReadonlySet<PowerState> = new Set(['migrating', 'saving', 'restoring']);

/** Why an action makes no sense, or does harm, in this state; null when it may be sent. */
export function objectionTo(action: PowerAction, { power, detail }: VmPowerState): string | null {
  if (IN_TRANSIT.has(power)) return `QEMU says ${detail}: the VM is being moved or saved. Wait until that has ended.`;
  if (action === 'shutdown' && power !== 'running') {
    return `QEMU says ${detail}: the guest does not see the power button. Reset the VM instead.`;
  }
  if (action === 'start' && power === 'panicked') {
    return `QEMU says ${detail}: the guest can't go on from there. Reset the VM instead.`;
  }
  if (action === 'resume' && power !== 'paused' && power !== 'storage-failed') {
    return `QEMU says ${detail}: there is nothing to resume.`;
  }
  return null;
}

/** The states that prove, and those that disprove, that an action was carried out. After a reset none does. */
const PROOFS: Partial<Record<PowerAction, { acted: readonly PowerState[]; notActed: readonly PowerState[] }>> = {
  stop: { acted: ['paused'], notActed: ['running'] },
  // prepared and not running is also what a start leaves that ended between its reset and `cont`
  start: { acted: ['running'], notActed: ['paused', 'off'] },
  resume: { acted: ['running'], notActed: ['paused', 'storage-failed'] },
  // a guest that runs may still be shutting down
  shutdown: { acted: ['off'], notActed: [] },
};

/** What this state says of an action that may have been sent before it was read. */
export function readBackOf(action: PowerAction, { power, detail }: VmPowerState): ReadBack {
  const proofs = PROOFS[action];
  if (proofs?.acted.includes(power)) return { verdict: 'acted', detail: `QEMU says ${detail}` };
  if (proofs?.notActed.includes(power)) return { verdict: 'not-acted', detail: `QEMU says ${detail}` };
  return {
    verdict: 'cannot-tell',
    detail: `QEMU says ${detail}, which does not tell whether ${action} was carried out`,
  };
}
