import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { setCurrentDetails, upsertMemo, upsertSearchAttributes } from '@temporalio/workflow';
import { healWorkflowId } from '../domain/ids.ts';
import type { DescribedVm } from './messages.ts';
import type { VmState } from './vm-state.ts';

/** Typed search attributes: `temporal workflow list -q "VmStatus='unhealthy'"`. */
const VM_STATUS = defineSearchAttributeKey('VmStatus', SearchAttributeType.KEYWORD);
const VM_TENANT = defineSearchAttributeKey('VmTenant', SearchAttributeType.KEYWORD);
const VM_PROVIDER = defineSearchAttributeKey('VmProvider', SearchAttributeType.KEYWORD);
const VM_HOST = defineSearchAttributeKey('VmHost', SearchAttributeType.KEYWORD);

/** Shows how the VM is in the Web UI, as people read it. */
export function showDetails(vm: VmState): void {
  const lines = [vm.described ? `**${vm.described.name}** ${vm.line}` : vm.line];
  if (vm.paused !== null) lines.unshift(`**paused**: ${vm.paused}`);
  if (vm.incident !== null) lines.push(`in the care of \`${healWorkflowId(vm.vmId, vm.incident)}\``);
  setCurrentDetails(lines.join('\n\n'));
}

/** Puts the VM on record: details, attributes to search by, and the memo that lists show. Writes history. */
export function showOnRecord(vm: VmState, described: DescribedVm): void {
  showDetails(vm);
  upsertSearchAttributes([
    { key: VM_STATUS, value: vm.status },
    { key: VM_TENANT, value: described.tenantId },
    { key: VM_PROVIDER, value: described.provider },
    ...(described.host === null ? [] : [{ key: VM_HOST, value: described.host }]),
  ]);
  upsertMemo({ name: described.name, status: vm.status });
}
