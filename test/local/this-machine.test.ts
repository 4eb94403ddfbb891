import { mkdtempSync, rmSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { watchThisMachine } from '../../local/this-machine.ts';
import { type ApiUnderTest, OPERATOR_TOKEN, startApiUnderTest } from '../api/api-under-test.ts';
import { withoutTemporal } from '../api/without-temporal.ts';

let api: ApiUnderTest;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'defib-machine-'));
  api = await startApiUnderTest({ temporal: withoutTemporal, adminsReachThisMachine: true });
});
afterAll(async () => {
  await api.close();
  rmSync(folder, { recursive: true });
});

it('registers this machine once, as the local one; where another is that, as one without a hypervisor', async () => {
  const start = async () => (await watchThisMachine(api.url, OPERATOR_TOKEN, folder)).stop();
  const registered = async () => {
    const { vms } = (await api.call('GET', '/api/vms')).body;
    return vms.map((vm: { name: string; provider: object }) => [vm.name, vm.provider]);
  };
  await start();
  await start();
  expect(await registered()).toEqual([[hostname(), { kind: 'local' }]]);
  await api.sql(`UPDATE vms SET name = 'renamed', external_id = 'machine-renamed'`);
  await start();
  expect(await registered()).toEqual([
    ['renamed', { kind: 'local' }],
    [hostname(), { kind: 'none' }],
  ]);
});
