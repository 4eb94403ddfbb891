import { readFileSync } from 'node:fs';
import { incidentListAnswer } from '../../../api/schemas/heals.ts';
import { healthAnswer } from '../../../api/schemas/health.ts';
import type { Rest } from '../../../local/rest.ts';
import type { TestVm } from '../vm/start-test-vm.ts';

/** Everything known about a VM whose test failed, as text; where something can't be read, the reason instead. */
export async function vmReport(rest: Rest, vmId: string, vm: TestVm): Promise<string> {
  const asked = {
    'the VM answers': vm.health(5_000),
    'QEMU says': vm.qmp('query-status'),
    'resets at': vm.resetTimes().map((atMs) => new Date(atMs).toISOString()),
    'serial log ends with': readFileSync(vm.serialLog, 'utf8').slice(-300),
    health: rest.get(`/api/vms/${vmId}/health`, healthAnswer),
    incidents: rest.get(`/api/vms/${vmId}/incidents`, incidentListAnswer).then(({ incidents }) =>
      // without facts and guards, which are long
      incidents.map(({ steps, ...incident }) => ({
        ...incident,
        steps: steps.map((step) => ({ ...step, facts: undefined, guards: undefined })),
      })),
    ),
  };
  const lines = Object.entries(asked).map(async ([what, answer]) => {
    const said = await Promise.resolve(answer).catch((error: unknown) => String(error));
    return `${what}: ${JSON.stringify(said, null, 1)}`;
  });
  return [`now: ${new Date().toISOString()}`, ...(await Promise.all(lines))].join('\n');
}
