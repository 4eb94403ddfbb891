import { afterAll, beforeEach, expect, it } from 'vitest';
import type { Dependencies } from '../../activities/dependencies.ts';
import { storePause } from '../../activities/store-pause.ts';
import { recordResumed } from '../../db/fleet/pause.ts';
import { recordVmChanged } from '../../db/fleet/vm-changes.ts';
import { createLookWriter } from '../../db/looks/look-writer.ts';
import type { WatchedVm } from '../../domain/watched.ts';
import { lookOf, NOON, readVm, registerVm, resultsOf } from '../db/watched.ts';
import { probeResult } from '../domain/examples.ts';
import { openTestDatabase } from '../support/postgres.ts';

const { database, close } = await openTestDatabase(NOON);
afterAll(close);

const deps = { database, now: () => NOON } as unknown as Dependencies;
const author = { tenantId: 'default', actor: 'a test', nowMs: NOON };
let vm: WatchedVm;
beforeEach(async () => {
  vm = await registerVm(database, { announcedVersion: 1 });
});
const pause = (reason: string | null) => storePause(deps, { vmId: vm.vmId, tenantId: vm.tenantId, reason });
const announced = async () =>
  (await database.pool.query('SELECT announced_version AS v FROM vms WHERE id = $1', [vm.vmId])).rows[0].v;

it('a pause is stored whatever was given as its reason', async () => {
  await pause('rack\u0000 move \ud800');
  expect((await readVm(database.pool, vm.vmId)).paused).toMatchObject({ reason: 'rack move \ufffd' });
});

it('a pause that its workflow asked for is announced, but not what was changed before it', async () => {
  await pause('rack move');
  expect(await announced()).toBe(2);
  await recordVmChanged(database, { vmId: vm.vmId, version: 2 }, { site: 'elsewhere' }, [], author);
  await pause(null);
  expect(await announced()).toBe(2);
});

it('what failed before a pause does not count after it', async () => {
  const writer = createLookWriter(database.pool);
  for (const minute of [1, 2, 3]) {
    await writer.write(lookOf(vm, resultsOf(vm, NOON + minute * 60_000, probeResult('unhealthy'))));
    vm = await readVm(database.pool, vm.vmId);
  }
  await pause('maintenance');
  await recordResumed(database, vm.vmId, author);
  vm = await readVm(database.pool, vm.vmId);
  await writer.write(lookOf(vm, resultsOf(vm, NOON + 60 * 60_000, probeResult('unhealthy'))));
  expect((await readVm(database.pool, vm.vmId)).health.consecutiveFailures).toBe(1);
});
