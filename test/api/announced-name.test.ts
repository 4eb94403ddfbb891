import { afterAll, beforeAll, expect, it } from 'vitest';
import type { VmIdentity } from '../../temporal/vm-signals.ts';
import { type ApiUnderTest, registered, startApiUnderTest } from './api-under-test.ts';
import { withoutTemporal } from './without-temporal.ts';

/** What the VM's workflow would be started with, each time. */
let told: VmIdentity[];
const listening = async (vm: VmIdentity): Promise<{ ok: true }> => {
  told.push(vm);
  return { ok: true };
};

let api: ApiUnderTest;
beforeAll(async () => {
  api = await startApiUnderTest({ temporal: { ...withoutTemporal, announce: listening, lookNow: listening } });
});
afterAll(() => api.close());

it('whatever may start the workflow of a VM tells the VM’s name', async () => {
  told = [];
  const { id } = await registered(api, { name: 'web-1' });
  await api.call('PATCH', `/api/vms/${id}`, { name: 'web-2' });
  await api.call('POST', `/api/vms/${id}/look-now`);
  await api.call('POST', `/api/vms/${id}/pause`, { reason: 'rack move' });
  await api.call('POST', `/api/vms/${id}/resume`);
  expect(told.map(({ vmId, name }) => [vmId, name])).toEqual([
    [id, 'web-1'],
    [id, 'web-2'],
    [id, 'web-2'],
    [id, 'web-2'],
    [id, 'web-2'],
  ]);
});
