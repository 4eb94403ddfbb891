export { healVm } from './heal-vm.ts';
export { providerCall } from './provider-call.ts';
export { reconcile, retain } from './upkeep.ts';
export { vmHealth } from './vm-health.ts';
