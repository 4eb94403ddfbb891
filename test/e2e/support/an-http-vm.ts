import { newVmAnswer } from '../../../api/schemas/vms.ts';
import type { TestVm } from '../vm/start-test-vm.ts';
import type { Rest } from './rest.ts';

/** Registers a test VM by its QMP socket and one check of its web server; answers its id. */
export async function registerVm(
  rest: Rest,
  vm: TestVm,
  name: string,
  pace: { intervalSeconds: number; timeoutSeconds: number },
): Promise<string> {
  const check = { checkType: 'http', target: `${vm.url}/health`, failureThreshold: 2, ...pace };
  const provider = { kind: 'qemu', qmpSocket: vm.qmpSocket };
  const registered = await rest.post(
    '/api/vms',
    { name, address: '127.0.0.1', provider, checks: [check] },
    newVmAnswer,
  );
  if (registered.status !== 201) throw new Error(`not registered: HTTP ${registered.status}`);
  return registered.body.id;
}

/** Its web server accepts connections and never answers again, until the VM is reset. */
export async function hangWebServer(vm: TestVm): Promise<void> {
  await fetch(`${vm.url}/cgi-bin/hang`, { headers: { connection: 'close' } }).then((answer) => answer.text());
}
