import {
  log,
  patched,
  setCurrentDetails,
  setDefaultSignalHandler,
  upsertMemo,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import { healWorkflowId } from '../domain/ids.ts';
import { type UnknownSignal, unknownSignalsWarning, withUnknownSignal } from '../domain/unknown-signals.ts';
import type { CarriedVm, DescribedVm } from './messages.ts';
import { VM_HOST, VM_NAME, VM_PROVIDER, VM_STATUS, VM_TENANT } from './search-attributes.ts';

/** What people see of a VM's workflow without opening its history: details, attributes to search by, and the memo. */

/** Of a VM's workflow, what is shown. */
export interface ShownVm {
  vmId: string;
  name?: string;
  carried: CarriedVm;
  /** What attribute `VmStatus` says, as far as this run has set it. */
  statusOnRecord: string;
  unknownSignals: UnknownSignal[];
}

/** The VM's name: as the last news said it, or else as whoever started the workflow knew it. */
export function nameOf({ name, carried }: Pick<ShownVm, 'name' | 'carried'>): string | null {
  return carried.described?.name ?? name ?? null;
}

/** Of a VM that is paused nothing else is said. */
function statusShown({ carried }: ShownVm): string {
  return carried.paused === null ? carried.status : 'paused';
}

/** Shows how the VM stands in the Web UI, as people read it. */
export function showDetails(vm: ShownVm, knownSignals: readonly string[]): void {
  const { line, paused, incident } = vm.carried;
  const name = nameOf(vm);
  const lines = [name === null ? line : `**${name}** ${line}`];
  if (paused !== null) lines.unshift(`**paused**: ${paused}`);
  if (incident !== null) lines.push(`healed by \`${healWorkflowId(vm.vmId, incident)}\``);
  setCurrentDetails(withWarning(lines.join('\n\n'), vm.unknownSignals, knownSignals));
}

/** The details with what should be known of signals that were ignored. */
export function withWarning(details: string, signals: readonly UnknownSignal[], known: readonly string[]): string {
  const warning = unknownSignalsWarning(signals, known, Date.now());
  return warning === null ? details : `${details}\n\n${warning}`;
}

/**
 * Notes the name of each signal that no handler knows, and not what came with it. Called after all handlers are set: what waited
 * for them comes here otherwise.
 */
export function noteUnknownSignals(shown: { unknownSignals: UnknownSignal[] }, show: () => void): void {
  setDefaultSignalHandler((name) => {
    shown.unknownSignals = withUnknownSignal(shown.unknownSignals, name, Date.now());
    log.warn('a signal that this workflow does not know was ignored', { signal: name.slice(0, 60) });
    show();
  });
}

/** Puts the VM on record by the name that it was started with, until the first news describes it. Writes history. */
export function showName(vm: ShownVm): void {
  const name = nameOf(vm);
  if (name === null || !patched('name-is-on-record')) return;
  upsertSearchAttributes([{ key: VM_NAME, value: name }]);
  upsertMemo({ VmName: name });
}

/** Has lists say `paused` while the VM is, and its health again afterwards. Writes history when that changes. */
export function showPause(vm: ShownVm): void {
  const status = statusShown(vm);
  // runs of 0.1 went on showing the last health
  if (status === vm.statusOnRecord || !patched('pause-is-on-record')) return;
  vm.statusOnRecord = status;
  upsertSearchAttributes([{ key: VM_STATUS, value: status }]);
  upsertMemo({ status });
}

/** Puts the VM on record as the last news described it. Writes history. */
export function showOnRecord(vm: ShownVm, { name, tenantId, provider, host }: DescribedVm): void {
  const status = statusShown(vm);
  vm.statusOnRecord = status;
  upsertSearchAttributes([
    { key: VM_NAME, value: name },
    { key: VM_STATUS, value: status },
    { key: VM_TENANT, value: tenantId },
    { key: VM_PROVIDER, value: provider },
    ...(host === null ? [] : [{ key: VM_HOST, value: host }]),
  ]);
  // `name` is what 0.1 called it
  upsertMemo({ VmName: name, name, status });
}

/** The memo that a heal is started with, and goes on with as a new run. */
export function memoOf(name: string | undefined): { memo?: { VmName: string } } {
  return name === undefined ? {} : { memo: { VmName: name } };
}
