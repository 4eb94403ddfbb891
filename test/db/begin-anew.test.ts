import { pino } from 'pino';
import { afterAll, describe, expect, it } from 'vitest';
import { createVmReader } from '../../activities/look/read-vms.ts';
import { createStoreLook } from '../../activities/look/store-look.ts';
import { createUnstoredResults } from '../../activities/look/unstored-results.ts';
import { completeCheck } from '../../api/check-defaults.ts';
import type { CheckInput } from '../../api/schemas/checks.ts';
import type { AimChange } from '../../db/fleet/begin-anew.ts';
import { type Aims, recordCheck, recordCheckDisabled } from '../../db/fleet/check-settings.ts';
import { type ReadVm, recordVmChanged, type VmChange } from '../../db/fleet/vm-changes.ts';
import { createLookWriter } from '../../db/looks/look-writer.ts';
import { unseenCheck } from '../../domain/check-state.ts';
import type { CheckResult, ProbeResult } from '../../domain/probe-result.ts';
import type { WatchedVm } from '../../domain/watched.ts';
import { probeResult, traitsOf } from '../domain/examples.ts';
import { setDatabaseTime } from '../support/database-time.ts';
import { openTestDatabase } from '../support/postgres.ts';
import { lookOf, NOON, readVm, registerVm, resultsOf } from './watched.ts';

const MINUTE = 60_000;
const SAME: Aims = { before: 'here', after: 'here' };
const THERE: Aims = { before: 'here', after: 'there' };
const BACK: Aims = { before: 'there', after: 'here' };
const author = { tenantId: 'default', actor: 'a test', nowMs: NOON };

const { database, close } = await openTestDatabase(NOON);
await setDatabaseTime(database.pool, NOON);
const writer = createLookWriter(database.pool);
afterAll(close);

const storeLook = createStoreLook(
  { looks: writer, log: pino({ level: 'silent' }), now: () => NOON },
  createVmReader(database.pool, traitsOf),
  createUnstoredResults(),
);

const again = (vm: WatchedVm) => readVm(database.pool, vm.vmId);

/** A VM that was healthy at noon and has failed at each minute since, with a check that has 10 s to answer. */
async function illVm(failures = 2): Promise<WatchedVm> {
  let vm = await registerVm(database, {}, [{ timeoutSeconds: 10 }]);
  for (let minute = 0; minute <= failures; minute++)
    vm = await looked(vm, minute, minute === 0 ? 'healthy' : 'unhealthy');
  return vm;
}

/** The VM after one more look, at that minute after noon. */
async function looked(vm: WatchedVm, minute: number, status: ProbeResult['status']): Promise<WatchedVm> {
  const results = resultsOf(vm, NOON + minute * MINUTE, probeResult(status));
  expect(await writer.write(lookOf(vm, results))).toBe('stored');
  return again(vm);
}

/** The VM as it is to be changed. */
async function readNow({ vmId }: WatchedVm): Promise<ReadVm> {
  return { vmId, version: (await readVm(database.pool, vmId)).settingsVersion };
}

/** The VM after its first check was changed. */
async function set(vm: WatchedVm, change: Partial<CheckInput>, aims: Aims): Promise<WatchedVm> {
  const { settingsVersion: version } = await again(vm);
  const check = completeCheck({ checkType: 'http', timeoutSeconds: 10, ...change }, 'ADMIN');
  expect(await recordCheck(database, { vmId: vm.vmId, version }, check, aims, author)).not.toBeNull();
  return again(vm);
}

const FAILED = probeResult('unhealthy');
const stateOf = (vm: WatchedVm) => vm.checks[0]!.state;
const seriesOf = (vm: WatchedVm) => vm.checks[0]!.series;

describe('a check whose aim changes', () => {
  it('begins anew and is not proven', async () => {
    const vm = await illVm();
    expect(stateOf(vm)).toMatchObject({ status: 'degraded', consecutiveFailures: 2, provenAtMs: NOON + 3 });
    const aimed = await set(vm, { target: '/elsewhere' }, THERE);
    const { checkId, checkType } = stateOf(vm);
    expect(stateOf(aimed)).toEqual(unseenCheck(checkId, checkType));
  });

  it('is proven again as soon as that is undone, since it first was', async () => {
    const vm = await illVm();
    const back = await set(await set(vm, { target: '/elsewhere' }, THERE), {}, BACK);
    expect(stateOf(back)).toMatchObject({ consecutiveFailures: 0, provenAtMs: NOON + 3 });
  });

  it('keeps the proof of each of its aims, and the first of each', async () => {
    let vm = await set(await illVm(), { target: '/elsewhere' }, THERE);
    vm = await looked(vm, 5, 'healthy');
    expect(stateOf(vm).provenAtMs).toBe(NOON + 5 * MINUTE + 3);
    vm = await looked(await set(vm, {}, BACK), 6, 'healthy');
    vm = await set(vm, { target: '/elsewhere' }, THERE);
    expect(stateOf(vm).provenAtMs).toBe(NOON + 5 * MINUTE + 3);
    expect(stateOf(await set(vm, {}, BACK)).provenAtMs).toBe(NOON + 3);
  });

  it('is not proven by an aim that has never succeeded, though others have', async () => {
    const vm = await set(await illVm(), { target: '/elsewhere' }, THERE);
    expect(stateOf(await set(vm, { target: '/third' }, { before: 'there', after: 'third' })).provenAtMs).toBeNull();
  });

  it.each<[string, ProbeResult['status']]>([
    ['neither counts nor proves what a look under way then saw', 'healthy'],
    ['does not count its failures', 'unhealthy'],
  ])('%s', async (_title, status) => {
    const vm = await illVm();
    const late = resultsOf(vm, NOON + 3 * MINUTE, probeResult(status)).map((one): CheckResult => {
      return { ...one, series: seriesOf(vm) };
    });
    const underWay = lookOf(vm, late);
    const aimed = await set(vm, { target: '/elsewhere' }, THERE);
    expect(await writer.write(underWay)).toBe('overtaken');
    expect(await storeLook(vm, late)).toMatchObject({ kind: 'stored', folded: { folded: [] } });
    expect(stateOf(await again(vm))).toEqual(stateOf(aimed));
  });

  it('is no longer trusted', async () => {
    const trusted = await set(await illVm(), { trusted: true }, SAME);
    expect(trusted.checks[0]?.trusted).toBe(true);
    const { settingsVersion, checks } = await set(trusted, { trusted: true, failureThreshold: 9 }, SAME);
    expect(checks[0]?.trusted).toBe(true);
    const aimed: AimChange = { checkId: checks[0]!.checkId, by: 'USER', before: 'here', after: 'there' };
    const read = { vmId: trusted.vmId, version: settingsVersion };
    await recordVmChanged(database, read, { address: '192.0.2.9' }, [aimed], author);
    expect((await again(trusted)).checks[0]).toMatchObject({
      trusted: false,
      aimedBy: 'USER',
      state: { provenAtMs: null },
    });
  });
});

describe("a VM's other address", () => {
  it('concerns the checks that use it, and no others', async () => {
    let vm = await registerVm(database, {}, [{}, {}]);
    vm = await looked(vm, 0, 'healthy');
    const [one, other] = vm.checks;
    const read = { vmId: vm.vmId, version: vm.settingsVersion };
    const change: AimChange[] = [{ checkId: one!.checkId, by: 'USER', before: 'a', after: 'b' }];
    await recordVmChanged(database, read, { address: '192.0.2.9' }, change, author);
    const [after, untouched] = (await again(vm)).checks;
    expect(after).toMatchObject({ series: 1, state: { status: 'unknown', provenAtMs: null } });
    expect(untouched).toEqual(other);
  });

  it('changes nothing when somebody else changed the VM first', async () => {
    const vm = await looked(await registerVm(database), 0, 'healthy');
    const change: AimChange[] = [{ checkId: vm.checks[0]!.checkId, by: 'USER', before: 'a', after: 'b' }];
    const stale = { vmId: vm.vmId, version: vm.settingsVersion + 1 };
    expect(await recordVmChanged(database, stale, { address: '192.0.2.9' }, change, author)).toEqual({
      ok: true,
      vm: null,
    });
    expect((await again(vm)).checks).toEqual(vm.checks);
  });
});

describe('a VM that was stopped on purpose', () => {
  const stopped = async (): Promise<WatchedVm> => {
    const vm = await illVm();
    const at = { stoppedOnPurposeAt: new Date(NOON) };
    await recordVmChanged(database, { vmId: vm.vmId, version: vm.settingsVersion }, at, [], author);
    return again(vm);
  };
  const change = async (vm: WatchedVm, given: VmChange): Promise<WatchedVm> => {
    await recordVmChanged(database, { vmId: vm.vmId, version: vm.settingsVersion }, given, [], author);
    return again(vm);
  };

  it('begins anew when it is started, and stays proven', async () => {
    const vm = await stopped();
    expect(vm).toMatchObject({ startedAtMs: null, health: { consecutiveFailures: 2 } });
    const started = await change(vm, { stoppedOnPurposeAt: null });
    expect(started).toMatchObject({
      stoppedOnPurpose: false,
      startedAtMs: NOON,
      health: { consecutiveFailures: 0 },
      checks: [
        {
          series: seriesOf(vm) + 1,
          state: { status: 'unknown', consecutiveFailures: 0, lastHealthyAtMs: null, provenAtMs: NOON + 3 },
        },
      ],
    });
  });

  it('does not count what a look under way then saw', async () => {
    const vm = await stopped();
    const late = resultsOf(vm, NOON + 3 * MINUTE, FAILED).map((one) => ({ ...one, series: seriesOf(vm) }));
    const started = await change(vm, { stoppedOnPurposeAt: null });
    await storeLook(vm, late);
    expect(stateOf(await again(vm))).toEqual(stateOf(started));
  });

  it('has its disabled checks begin anew as well', async () => {
    const vm = await stopped();
    const { checkId, checkType, name } = vm.checks[0]!;
    await recordCheckDisabled(database, await readNow(vm), { id: checkId, checkType, name }, author);
    await change(await again(vm), { stoppedOnPurposeAt: null });
    const { rows } = await database.pool.query('SELECT consecutive_failures FROM check_state WHERE check_id = $1', [
      checkId,
    ]);
    expect(rows).toEqual([{ consecutive_failures: 0 }]);
  });

  it.each<[string, (vm: WatchedVm) => Promise<WatchedVm>]>([
    ['runs and is said to run', async (vm) => change(vm, { stoppedOnPurposeAt: null })],
    ['is stopped', async (vm) => change(vm, { stoppedOnPurposeAt: new Date(NOON) })],
    ['is changed otherwise', async (vm) => change(vm, { name: 'another' })],
  ])('keeps what it saw when it %s', async (_title, act) => {
    const vm = await illVm();
    expect(await act(vm)).toMatchObject({ startedAtMs: null, checks: vm.checks });
  });

  it('is not started by a change that comes too late', async () => {
    const vm = await stopped();
    expect(await change({ ...vm, settingsVersion: 99 }, { stoppedOnPurposeAt: null })).toEqual(vm);
  });
});

describe('a check whose aim stays', () => {
  it.each<[string, Partial<CheckInput>]>([
    ['another interval', { intervalSeconds: 30 }],
    ['other thresholds', { failureThreshold: 9, successThreshold: 2 }],
    ['more time', { timeoutSeconds: 20 }],
    ['a stale time', { staleAfterSeconds: 9 }],
  ])('keeps what it saw with %s', async (_title, change) => {
    const vm = await illVm();
    const changed = await set(vm, change, SAME);
    expect(stateOf(changed)).toEqual(stateOf(vm));
    expect(seriesOf(changed)).toBe(seriesOf(vm));
  });

  it.each<[string, Partial<CheckInput>]>([
    ['by its own setting', { timeoutSeconds: 9 }],
    ['by the default, which is no longer than the interval', { timeoutSeconds: null, intervalSeconds: 5 }],
  ])('keeps its counters but not its proofs with less time to answer, %s', async (_title, change) => {
    const vm = await illVm();
    const shorter = await set(vm, change, SAME);
    expect(stateOf(shorter)).toEqual({ ...stateOf(vm), provenAtMs: null });
    expect(stateOf(await set(shorter, { timeoutSeconds: 10 }, SAME)).provenAtMs).toBeNull();
  });

  it('is not proven by a look under way that has more time', async () => {
    const vm = await illVm();
    const late = resultsOf(vm, NOON + 3 * MINUTE).map((one) => ({ ...one, series: seriesOf(vm) }));
    await set(vm, { timeoutSeconds: 1 }, SAME);
    await storeLook(vm, late);
    expect(stateOf(await again(vm)).provenAtMs).toBeNull();
  });

  it('has no older aim proven after it has had less time to answer', async () => {
    let vm = await set(await illVm(), { target: '/elsewhere' }, THERE);
    vm = await set(vm, { target: '/elsewhere', timeoutSeconds: 9 }, { before: 'there', after: 'there' });
    expect(stateOf(await set(vm, { timeoutSeconds: 9 }, BACK)).provenAtMs).toBeNull();
  });

  it('loses the proof with less time to answer at another aim too', async () => {
    const vm = await set(await illVm(), { target: '/elsewhere', timeoutSeconds: 9 }, THERE);
    expect(stateOf(await set(vm, { timeoutSeconds: 9 }, BACK)).provenAtMs).toBeNull();
  });

  it('that is enabled again begins anew and stays proven', async () => {
    const vm = await illVm();
    const { checkId, checkType, name } = vm.checks[0]!;
    await recordCheckDisabled(database, await readNow(vm), { id: checkId, checkType, name }, author);
    const enabled = await set(vm, {}, SAME);
    expect(stateOf(enabled)).toMatchObject({ status: 'unknown', consecutiveFailures: 0, provenAtMs: NOON + 3 });
    expect(seriesOf(enabled)).toBe(seriesOf(vm) + 1);
  });
});
