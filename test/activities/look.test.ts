import { pino } from 'pino';
import { afterAll, describe, expect, it } from 'vitest';
import type { Dependencies } from '../../activities/dependencies.ts';
import { createLook } from '../../activities/look/look.ts';
import type { Probe } from '../../checks/check.ts';
import { createLookWriter } from '../../db/looks/look-writer.ts';
import type { ProbeResult } from '../../domain/probe-result.ts';
import { until } from '../../local/until.ts';
import { NOON, readVm, registerVm } from '../db/watched.ts';
import { ALIVE, probeResult } from '../domain/examples.ts';
import { openTestDatabase } from '../support/postgres.ts';
import { lookRequest } from './look-request.ts';

const { database, close } = await openTestDatabase(NOON);
afterAll(close);

let nowMs = NOON;
let probes: { target: string | null; answer(result: ProbeResult): void; break(): void }[] = [];

/** A check whose answers the test gives, one by one. */
const scripted: Probe = {
  ...ALIVE,
  needs: [],
  probe: ({ target }) =>
    new Promise((resolve, reject) => {
      probes.push({ target, answer: resolve, break: () => reject(new TypeError('a fault of ours')) });
    }),
};

function createScriptedLook(scripts: ReadonlyMap<string, Probe> = new Map([['http', scripted]])) {
  probes = [];
  const now = (): number => nowMs;
  const deps = {
    database,
    looks: createLookWriter(database.pool),
    probes: scripts,
    log: pino({ level: 'silent' }),
    now,
  };
  return createLook(deps as unknown as Dependencies);
}

const quickAndSlow = [
  { target: 'quick', intervalSeconds: 1, timeoutSeconds: 1 },
  { target: 'slow', intervalSeconds: 3_600, timeoutSeconds: 60, failureThreshold: 1 },
];

describe('a look', () => {
  it("doesn't let a slow probe hold up the next ticks of the others, and folds it when it comes", async () => {
    const look = createScriptedLook();
    const vm = await registerVm(database, {}, quickAndSlow);
    const first = look(lookRequest(vm.vmId));
    await until(() => probes.length === 2);
    probes.find((one) => one.target === 'quick')?.answer(probeResult('healthy'));
    expect(await first).toMatchObject({ kind: 'looked', folded: { health: { status: 'healthy' } } });

    nowMs += 1_000;
    const second = look(lookRequest(vm.vmId));
    await until(() => probes.length === 3);
    expect(probes[2]?.target).toBe('quick');
    probes[2]?.answer(probeResult('healthy'));
    await second;

    probes.find((one) => one.target === 'slow')?.answer(probeResult('unhealthy'));
    await until(async () => (await readVm(database.pool, vm.vmId)).health.status === 'unhealthy');
    expect((await readVm(database.pool, vm.vmId)).health.transitionSeq).toBe(2);
  });

  it('that begins while a probe is on its way waits for it, starts no second one, and stores it once', async () => {
    const look = createScriptedLook();
    const vm = await registerVm(database, {}, quickAndSlow);
    const first = look(lookRequest(vm.vmId));
    await until(() => probes.length === 2);
    probes.find((one) => one.target === 'quick')?.answer(probeResult('healthy'));
    await first;
    const asked = look(lookRequest(vm.vmId, { mode: () => ({ paceMs: null, now: true }) }));
    await until(() => probes.length === 3);
    probes[2]?.answer(probeResult('healthy'));
    probes.find((one) => one.target === 'slow')?.answer(probeResult('unhealthy'));
    const outcome = await asked;
    expect(outcome).toMatchObject({ kind: 'looked', folded: { health: { status: 'unhealthy' } } });
    expect(probes.map((one) => one.target).toSorted()).toEqual(['quick', 'quick', 'slow']);
    // if the first look stored it too, the state would have changed by now
    const { lookSeq } = await readVm(database.pool, vm.vmId);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect((await readVm(database.pool, vm.vmId)).lookSeq).toBe(lookSeq);
  });

  it('answers an unexpected error in a probe as unknown (look-failed)', async () => {
    const look = createScriptedLook();
    const vm = await registerVm(database);
    const looking = look(lookRequest(vm.vmId));
    await until(() => probes.length === 1);
    probes[0]?.break();
    const outcome = await looking;
    expect(outcome).toMatchObject({ kind: 'looked', folded: { health: { status: 'unknown' } } });
    expect((await readVm(database.pool, vm.vmId)).checks[0]?.state).toMatchObject({
      reason: 'look-failed',
      consecutiveFailures: 0,
      message: 'look failed: a fault of ours',
    });
  });

  it('waits for settings as new as the ones it was asked to look by', async () => {
    const look = createScriptedLook();
    const vm = await registerVm(database);
    expect(await look(lookRequest(vm.vmId, { settingsVersion: 2 }))).toEqual({
      kind: 'settings-behind',
      version: 1,
    });
    expect(probes).toEqual([]);
  });

  it('asks for more time when its checks may take longer than it may', async () => {
    const look = createScriptedLook();
    const vm = await registerVm(database, {}, [{ intervalSeconds: 300, timeoutSeconds: 120 }]);
    expect(await look(lookRequest(vm.vmId, { limitMs: 20_000 }))).toMatchObject({ kind: 'needs-time' });
    expect(probes).toEqual([]);
  });

  it('tells apart a VM that was deleted and one that never was', async () => {
    const look = createScriptedLook();
    const vm = await registerVm(database, { deletedAt: new Date(NOON) });
    expect(await look(lookRequest(vm.vmId))).toEqual({ kind: 'gone', deleted: true });
    expect(await look(lookRequest('00000000-0000-4000-8000-00000000dead'))).toEqual({ kind: 'gone', deleted: false });
  });

  it('neither probes nor fails a VM that is stopped on purpose', async () => {
    const look = createScriptedLook();
    const vm = await registerVm(database, { stoppedOnPurposeAt: new Date(NOON) });
    expect(await look(lookRequest(vm.vmId))).toMatchObject({ kind: 'looked', results: [] });
    expect(probes).toEqual([]);
  });
});
