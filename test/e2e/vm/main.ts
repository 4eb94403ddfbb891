import { parseArgs } from 'node:util';
import { registrationOf } from '../../support/http-vm.ts';
import { startTestVm } from './start-test-vm.ts';

// A VM to try Defib on by hand: boots, prints how to register and how to hang it, stays until Ctrl-C.
const { values } = parseArgs({ options: { dir: { type: 'string' }, name: { type: 'string', default: 'test-vm' } } });
if (!values.dir) {
  console.error('Usage: node --import tsx test/e2e/vm/main.ts --dir <data dir>/qmp [--name test-vm]');
  process.exit(2);
}

console.log('Booting a VM under QEMU (some 5 s) …');
const vm = await startTestVm({ dir: values.dir, name: values.name });
const { qmpSocket } = vm;
const registration = registrationOf({ name: values.name, qmpSocket, target: `${vm.url}/health`, intervalSeconds: 5 });

console.log(`Serves ${vm.url}/health after ${(vm.bootMs / 1000).toFixed(1)} s; serial log in ${vm.serialLog}

Register it, body of POST /api/vms:
${JSON.stringify(registration)}

Hang its web server:    curl ${vm.url}/cgi-bin/hang
Panic its kernel:       curl ${vm.url}/cgi-bin/panic
Ctrl-C ends the VM. Resets over QMP are printed here.`);

let told = 0;
setInterval(() => {
  const resets = vm.resets();
  if (resets > told) console.log(`${new Date().toISOString()} reset number ${resets} over QMP`);
  told = resets;
}, 500);

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void vm.stop().then(() => process.exit(0)));
}
