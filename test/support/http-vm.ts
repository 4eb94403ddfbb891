import { newVmAnswer } from '../../api/schemas/vms.ts';
import type { Rest } from '../../local/rest.ts';

/** A VM behind a QMP socket of this machine, and the URL by which its only check looks at it. */
export interface HttpVm {
  readonly name: string;
  readonly qmpSocket: string;
  readonly target: string;
  readonly tags?: readonly string[];
  readonly intervalSeconds: number;
}

/** The body of its registration; two failures make it ill. */
export function registrationOf({ name, qmpSocket, target, tags = [], intervalSeconds }: HttpVm): object {
  const check = { checkType: 'http', target, intervalSeconds, timeoutSeconds: 2, failureThreshold: 2 };
  return { name, address: '127.0.0.1', tags, provider: { kind: 'qemu', qmpSocket }, checks: [check] };
}

/** Registers it and answers its id. @throws what the API objects to. */
export async function registerVm(rest: Rest, vm: HttpVm): Promise<string> {
  const registered = await rest.post('/api/vms', registrationOf(vm), newVmAnswer);
  if (registered.status !== 201) throw new Error(`not registered: HTTP ${registered.status}`);
  return registered.body.id;
}
