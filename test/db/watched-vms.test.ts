import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { cleanText } from '../../db/clean-text.ts';
import { createLookWriter } from '../../db/looks/look-writer.ts';
import { findWatchedVms } from '../../db/looks/watched-vms.ts';
import { vmAgents } from '../../db/schema/vms.ts';
import { unseenCheck } from '../../domain/check-state.ts';
import { UNSEEN } from '../../domain/vm-health.ts';
import type { WatchedVm } from '../../domain/watched.ts';
import { anyCheckType, anyInstant, anyResultStatus, probeResult, traitsOf } from '../domain/examples.ts';
import { openTestDatabase } from '../support/postgres.ts';
import { DAY, lookOf, NOON, readVm, registerVm } from './watched.ts';

const { database, close } = await openTestDatabase(NOON);
afterAll(close);

describe('what a look needs to know of a VM', () => {
  it('is its settings, in milliseconds, and that nobody has looked yet', async () => {
    const createdAt = new Date('2026-01-02T03:04:05.678Z');
    await database.pool.query("UPDATE tenants SET check_targets = '{10.0.0.0/8}' WHERE id = 'default'");
    onTestFinished(() => void database.pool.query("UPDATE tenants SET check_targets = '{}'"));
    const vm = await registerVm(
      database,
      { name: 'web', address: '10.0.0.7', host: 'node-1', site: 'eu', tags: ['a', 'b'], reportIntervalSeconds: 15 },
      [
        {
          checkType: 'http',
          target: '/up',
          intervalSeconds: 5,
          retryIntervalSeconds: 3,
          timeoutSeconds: 2,
          failureThreshold: 2,
          successThreshold: 4,
          staleAfterSeconds: 90,
          options: { followRedirects: true },
          aimedBy: 'OPERATOR',
          createdAt,
        },
      ],
    );
    const [check] = vm.checks;
    expect(vm).toEqual({
      vmId: vm.vmId,
      tenantId: 'default',
      tenantTargets: ['10.0.0.0/8'],
      name: 'web',
      address: '10.0.0.7',
      site: 'eu',
      host: 'node-1',
      providerKind: 'none',
      tags: ['a', 'b'],
      settingsVersion: 1,
      watchEpoch: 1,
      deleted: false,
      stoppedOnPurpose: false,
      paused: null,
      keepRunning: false,
      startedAtMs: null,
      reportIntervalMs: 15_000,
      lastHeartbeatAtMs: null,
      health: UNSEEN,
      lookSeq: 0,
      checks: [
        {
          checkId: check?.checkId,
          checkType: 'http',
          about: 'alive',
          needsCorroboration: false,
          name: '',
          target: '/up',
          intervalMs: 5_000,
          retryIntervalMs: 3_000,
          timeoutMs: 2_000,
          thresholds: { failureThreshold: 2, successThreshold: 4 },
          staleAfterSeconds: 90,
          options: { followRedirects: true },
          createdAtMs: createdAt.getTime(),
          series: 0,
          trusted: false,
          aimedBy: 'OPERATOR',
          state: unseenCheck(check?.checkId ?? '', 'http'),
        },
      ],
    });
  });

  it.each([
    [60, 10_000],
    [5, 5_000],
  ])(
    'is a timeout of 10 s or the interval, whichever is shorter: %i s gives %i ms',
    async (intervalSeconds, timeoutMs) => {
      const vm = await registerVm(database, {}, [{ intervalSeconds, timeoutSeconds: null }]);
      expect(vm.checks[0]?.timeoutMs).toBe(timeoutMs);
    },
  );

  it('leaves out checks that are disabled, and VMs that do not exist', async () => {
    const vm = await registerVm(database, {}, [{}, { enabled: false, checkType: 'ping' }]);
    expect(vm.checks.map((check) => check.checkType)).toEqual(['http']);
    expect((await findWatchedVms(database.pool, [vm.vmId, randomUUID()], traitsOf)).size).toBe(1);
    expect(await findWatchedVms(database.pool, [], traitsOf)).toEqual(new Map());
  });

  it('says when a VM has no checks, was deleted, or is stopped on purpose', async () => {
    const vm = await registerVm(database, { deletedAt: new Date(NOON), stoppedOnPurposeAt: new Date(NOON) }, []);
    expect(vm).toMatchObject({ deleted: true, stoppedOnPurpose: true, checks: [] });
  });

  it('comes for many VMs at once, each with its own checks', async () => {
    const vms = await Promise.all(
      [1, 2, 3].map((n) =>
        registerVm(
          database,
          { name: `vm ${n}` },
          Array.from({ length: n }, () => ({})),
        ),
      ),
    );
    const found = await findWatchedVms(
      database.pool,
      vms.map((vm) => vm.vmId),
      traitsOf,
    );
    expect(found).toEqual(new Map(vms.map((vm) => [vm.vmId, vm])));
    expect(vms.map((vm) => vm.checks.length)).toEqual([1, 2, 3]);
  });

  it('has every time to the millisecond', async () => {
    const vm = await registerVm(database);
    await fc.assert(
      fc.asyncProperty(anyInstant, async (atMs) => {
        const lastHeartbeatAt = new Date(atMs);
        await database.orm
          .insert(vmAgents)
          .values({ vmId: vm.vmId, lastHeartbeatAt })
          .onConflictDoUpdate({ target: vmAgents.vmId, set: { lastHeartbeatAt } });
        expect((await readVm(database.pool, vm.vmId)).lastHeartbeatAtMs).toBe(atMs);
      }),
    );
  });
});

const anyResult = fc.record({
  check: fc.nat(),
  dueAtMs: fc.integer({ min: NOON - DAY, max: NOON + DAY }),
  checkedAtMs: anyInstant,
  status: anyResultStatus,
  message: fc.option(fc.string({ unit: 'binary' })),
  latencyMs: fc.option(fc.double({ min: 0, noNaN: true, noDefaultInfinity: true })),
  rawResponse: fc.dictionary(fc.string(), fc.jsonValue() as fc.Arbitrary<never>),
});
const anyLife = fc.record({
  checks: fc.array(anyCheckType, { minLength: 1, maxLength: 3 }),
  looks: fc.array(fc.array(anyResult, { maxLength: 5 }), { minLength: 1, maxLength: 4 }),
});

const cleaned = <T extends { message: string | null }>(one: T): T => ({
  ...one,
  message: one.message && cleanText(one.message),
});

describe('what looks have stored', () => {
  it('is read back as it was folded, look after look', async () => {
    const writer = createLookWriter(database.pool);
    await fc.assert(
      fc.asyncProperty(anyLife, async ({ checks, looks }) => {
        let vm = await registerVm(
          database,
          {},
          checks.map((checkType) => ({ checkType, failureThreshold: 2 })),
        );
        for (const results of looks) {
          const look = lookOf(
            vm,
            results.map(({ check, dueAtMs, checkedAtMs, status, ...rest }) => ({
              ...probeResult(status, rest),
              checkId: vm.checks[check % vm.checks.length]?.checkId ?? '',
              dueAtMs,
              checkedAtMs,
            })),
          );
          expect(await writer.write(look)).toBe('stored');
          const states = new Map(look.states.map((state) => [state.checkId, cleaned(state)]));
          const expected: WatchedVm = {
            ...vm,
            lookSeq: vm.lookSeq + 1,
            health: { ...look.health, reasons: look.health.reasons.map(cleaned) },
            checks: vm.checks.map((check) => ({ ...check, state: states.get(check.checkId) ?? check.state })),
          };
          vm = await readVm(database.pool, vm.vmId);
          expect(vm).toEqual(expected);
        }
      }),
      { numRuns: 60 },
    );
  });
});
