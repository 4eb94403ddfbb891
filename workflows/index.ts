export { healVm } from './heal-vm.ts';
export { reconcile, retain } from './upkeep.ts';
export { vmHealth } from './vm-health.ts';
