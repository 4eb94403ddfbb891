import { setWorkflowOptions, workflowInfo } from '@temporalio/workflow';
import { providerCall } from './provider-call.ts';
import { goesOn, reconcile, retain } from './upkeep.ts';

export { healVm } from './heal-vm.ts';
export { vmHealth } from './vm-health.ts';
export { providerCall, reconcile, retain };

/**
 * Where builds run side by side (docs/upgrading.md), a workflow moves to the current one at its next task: the worker's
 * default, for those that live long. These live for seconds and end on the build they began on. Asked when one starts,
 * because the server refuses every task of an unversioned worker that names a behaviour.
 */
const PINNED: readonly [workflow: () => Promise<unknown>, livesLong: () => boolean][] = [
  [providerCall as () => Promise<unknown>, () => false],
  [reconcile, goesOn],
  [retain, () => false],
];

for (const [workflow, livesLong] of PINNED) {
  setWorkflowOptions(
    () =>
      workflowInfo().currentDeploymentVersion?.deploymentName && !livesLong() ? { versioningBehavior: 'PINNED' } : {},
    workflow,
  );
}
