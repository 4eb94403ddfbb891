import type { PowerAction } from '../../domain/power.ts';
import type { VmPowerState } from '../provider.ts';

type Power = VmPowerState['power'];

/**
 * QMP's run states (QEMU docs, qapi/run-state.json, RunState). Those in which the VM is on its way between hosts, or
 * being saved, are `unknown`: they pass by themselves, and nothing may be concluded from them.
 */
const POWER: Record<string, Power> = {
  running: 'running',
  paused: 'paused',
  prelaunch: 'paused',
  preconfig: 'paused',
  suspended: 'paused',
  'io-error': 'paused',
  watchdog: 'paused',
  debug: 'paused',
  shutdown: 'off',
  'guest-panicked': 'panicked',
  'internal-error': 'panicked',
};

/** Not to be touched: the VM may already run elsewhere, and must not run twice. */
const IN_TRANSIT: ReadonlySet<string> = new Set([
  'inmigrate',
  'finish-migrate',
  'postmigrate',
  'save-vm',
  'restore-vm',
  'colo',
]);

/** Translates QMP's word for a VM's state; words we don't know are `unknown`. */
export function toPowerState(status: string): VmPowerState {
  return { power: powerOf(status), detail: status };
}

/** Why an action makes no sense, or does harm, in this state; null when it may be sent. */
export function objectionTo(action: PowerAction, status: string): string | null {
  const power = powerOf(status);
  if (IN_TRANSIT.has(status)) {
    return `QEMU says ${status}: the VM is being moved or saved. Wait until that has ended.`;
  }
  if (action === 'shutdown' && power !== 'running') {
    return `QEMU says ${status}: the guest can't hear the power button. Reset the VM instead.`;
  }
  if (action === 'start' && (power === 'off' || power === 'panicked')) {
    return `QEMU says ${status}: the guest can't go on from there. Reset the VM instead.`;
  }
  return null;
}

function powerOf(status: string): Power {
  return Object.hasOwn(POWER, status) ? (POWER[status] ?? 'unknown') : 'unknown';
}
