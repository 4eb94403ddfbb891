import { randomUUID } from 'node:crypto';
import type { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { eq } from 'drizzle-orm';
import { pino } from 'pino';
import { afterAll, describe, expect, it } from 'vitest';
import type { LookInput } from '../../activities/contract.ts';
import type { Dependencies } from '../../activities/dependencies.ts';
import { createWatchActivities } from '../../activities/watch.ts';
import { createLookWriter } from '../../db/looks/look-writer.ts';
import { policies } from '../../db/schema/heals.ts';
import { vms } from '../../db/schema/vms.ts';
import { tickAtOrBefore } from '../../domain/grid.ts';
import type { WatchedVm } from '../../domain/watched.ts';
import { count, lookOf, NOON, readVm, registerVm, resultsOf } from '../db/watched.ts';
import { ALIVE, LOAD, probeResult } from '../domain/examples.ts';
import { openTestDatabase } from '../support/postgres.ts';

const { database, close } = await openTestDatabase(NOON);
afterAll(close);

let nowMs = NOON;
/** What every probe finds. */
let found: 'healthy' | 'unhealthy' = 'healthy';

const { watch } = createWatchActivities({
  database,
  looks: createLookWriter(database.pool),
  probes: new Map([
    ['http', { ...ALIVE, needs: [], probe: async () => probeResult(found) }],
    ['certificate', { ...LOAD, needs: [], probe: async () => probeResult('unhealthy') }],
  ]),
  log: pino({ level: 'silent' }),
  now: () => nowMs,
} as unknown as Dependencies);

/** One attempt of the activity, as Temporal would run it. */
async function lookAt(vm: Pick<WatchedVm, 'vmId'>, more: object = {}) {
  const input: LookInput = {
    vmId: vm.vmId,
    deliveredSeq: 0,
    settingsVersion: 1,
    healOpen: false,
    watchCloselyUntilMs: null,
    now: false,
    ...more,
  };
  return new MockActivityEnvironment({ startToCloseTimeoutMs: 60_000 }).run(watch, input);
}

async function storePolicy(policy: Partial<typeof policies.$inferInsert>): Promise<void> {
  const now = new Date(NOON);
  const usual = {
    name: 'policy',
    enabled: true,
    triggerAfterFailures: 1,
    action: 'restart' as const,
    cooldownMinutes: 1,
  };
  const limits = { maxAttempts: 3, attemptWindowHours: 24, notifyOnTrigger: true, verifySeconds: 60 };
  const stamps = { createdAt: now, updatedAt: now };
  await database.orm.insert(policies).values({
    id: randomUUID(),
    tenantId: 'default',
    ...usual,
    ...limits,
    escalationAction: 'notify_only',
    ...stamps,
    ...policy,
  });
}

describe('a look in care', () => {
  it('fails as Steady, with what it saw, when nothing is news', async () => {
    found = 'healthy';
    const vm = await registerVm(database);
    expect(await lookAt(vm)).toMatchObject({ kind: 'health', seq: 1, status: 'healthy', healWanted: false });
    await expect(lookAt(vm, { deliveredSeq: 1 })).rejects.toMatchObject({ type: 'Steady', message: 'healthy' });
  });

  it('asked for three times within three seconds counts one failure, and each is seen', async () => {
    found = 'unhealthy';
    const vm = await registerVm(database);
    const counted: number[] = [];
    for (const secondsLater of [0, 1.5, 3, 5]) {
      nowMs = NOON + secondsLater * 1000;
      await lookAt(vm, { now: true }).catch(() => undefined);
      const { checks, health } = await readVm(database.pool, vm.vmId);
      expect(checks[0]?.state).toMatchObject({
        lastUnhealthyAtMs: nowMs,
        consecutiveFailures: health.consecutiveFailures,
      });
      counted.push(health.consecutiveFailures);
    }
    nowMs = NOON;
    expect(counted).toEqual([1, 1, 1, 2]);
    expect(await count(database.pool, 'check_results', vm.vmId)).toBe(4);
  });

  it('right after a pause, and a moment later at the next tick, counts one failure', async () => {
    found = 'unhealthy';
    const vm = await registerVm(database);
    const tickMs = tickAtOrBefore(vm.vmId, 60_000, NOON) + 60_000;
    const counted: number[] = [];
    for (nowMs of [tickMs - 1_000, tickMs, tickMs + 60_000]) {
      await lookAt(vm, { healOpen: true }).catch(() => undefined);
      counted.push((await readVm(database.pool, vm.vmId)).health.consecutiveFailures);
    }
    nowMs = NOON;
    expect(counted).toEqual([1, 1, 2]);
  });

  it('tells all that its workflow has not heard, whoever saw it and however often it has changed since', async () => {
    found = 'healthy';
    let vm = await registerVm(database, {}, [{ failureThreshold: 1 }]);
    const writer = createLookWriter(database.pool);
    for (const [minute, status] of [[-2, 'healthy'] as const, [-1, 'unhealthy'] as const, [0, 'healthy'] as const]) {
      await writer.write(lookOf(vm, resultsOf(vm, NOON + minute * 60_000, probeResult(status))));
      vm = await readVm(database.pool, vm.vmId);
    }
    for (const deliveredSeq of [0, 1, 2]) {
      expect(await lookAt(vm, { deliveredSeq })).toMatchObject({ kind: 'health', seq: 3, status: 'healthy' });
    }
    await expect(lookAt(vm, { deliveredSeq: 3 })).rejects.toMatchObject({ type: 'Steady' });
  });

  it('tells its workflow how the VM is where the database lost what was delivered, as in a restore', async () => {
    found = 'healthy';
    const vm = await registerVm(database);
    await lookAt(vm);
    expect(await lookAt(vm, { deliveredSeq: 7 })).toMatchObject({ kind: 'health', seq: 1, status: 'healthy' });
  });

  it('says that its VM is paused, or is not, until its workflow knows, and asks for no heal of a paused one', async () => {
    await database.pool.query('DELETE FROM policies');
    await storePolicy({});
    found = 'unhealthy';
    const pausedAt = new Date(NOON);
    const vm = await registerVm(database, { pausedAt, pausedReason: 'rack move', pausedBy: 'ops' });
    for (const paused of [false, true]) {
      expect(await lookAt(vm, { paused })).toEqual({ kind: 'paused', reason: 'rack move' });
    }
    // workflows of 0.1 don't ask
    await expect(lookAt(vm)).rejects.toMatchObject({ type: 'Steady', message: 'not looked at: ops paused it' });
    const resumed = await registerVm(database);
    await lookAt(resumed);
    const known = { deliveredSeq: 1, healOpen: true };
    expect(await lookAt(resumed, { ...known, paused: true })).toMatchObject({ kind: 'health', seq: 1 });
    await expect(lookAt(resumed, { ...known, paused: false })).rejects.toMatchObject({ type: 'Steady' });
  });

  it('tells the VM’s name to a workflow that shows another, or none yet', async () => {
    found = 'healthy';
    const vm = await registerVm(database, { name: 'web-2' });
    await lookAt(vm);
    const known = { deliveredSeq: 1, paused: false };
    for (const name of ['web-1', null]) {
      expect(await lookAt(vm, { ...known, name })).toMatchObject({ kind: 'health', seq: 1, vm: { name: 'web-2' } });
    }
    await expect(lookAt(vm, { ...known, name: 'web-2' })).rejects.toMatchObject({ type: 'Steady' });
    // workflows of 0.1 don't say what they show
    await expect(lookAt(vm, known)).rejects.toMatchObject({ type: 'Steady' });
  });

  it.each<[string, Parameters<typeof registerVm>[1]]>([
    ['paused', { pausedAt: new Date(NOON), pausedReason: 'rack move', pausedBy: 'ops' }],
    ['stopped on purpose', { stoppedOnPurposeAt: new Date(NOON) }],
  ])('asks for no heal of a VM that failed before it was %s', async (_what, change) => {
    await database.pool.query('DELETE FROM policies');
    await storePolicy({});
    found = 'unhealthy';
    const vm = await registerVm(database);
    expect(await lookAt(vm)).toMatchObject({ healWanted: true });
    await database.orm.update(vms).set(change!).where(eq(vms.id, vm.vmId));
    expect(await lookAt(vm, { now: true })).toMatchObject({ kind: 'health', healWanted: false });
  });

  it.each<[whose: string, policy: (vm: WatchedVm) => object, wanted: boolean]>([
    ['its own', (vm) => ({ vmId: vm.vmId }), true],
    ['that of one of its tags', () => ({ tag: 'web' }), true],
    ['none but that of another tag', () => ({ tag: 'db' }), false],
    ['none but that of another VM', () => ({ vmId: randomUUID() }), false],
    ['none but a disabled one', (vm) => ({ vmId: vm.vmId, enabled: false }), false],
    ['none but that of another tenant', (vm) => ({ vmId: vm.vmId, tenantId: 'acme' }), false],
    ['one that is not triggered yet', (vm) => ({ vmId: vm.vmId, triggerAfterFailures: 2 }), false],
  ])('asks for a heal by the policy that applies to the VM: %s', async (_whose, policy, wanted) => {
    await database.pool.query('DELETE FROM policies');
    found = 'unhealthy';
    const vm = await registerVm(database, { tags: ['web'] });
    await storePolicy(policy(vm));
    expect(await lookAt(vm)).toMatchObject({ kind: 'health', healWanted: wanted });
  });

  it('asks for no heal because of load or upkeep, however often it failed', async () => {
    await database.pool.query('DELETE FROM policies');
    await storePolicy({});
    found = 'healthy';
    const vm = await registerVm(database, {}, [{}, { checkType: 'certificate', failureThreshold: 1 }]);
    expect(await lookAt(vm)).toMatchObject({ kind: 'health', status: 'degraded', healWanted: false });
  });

  it('asks for no second heal while one is open', async () => {
    await database.pool.query('DELETE FROM policies');
    await storePolicy({});
    found = 'unhealthy';
    const vm = await registerVm(database);
    await expect(lookAt(vm, { deliveredSeq: 1, healOpen: true })).rejects.toMatchObject({ type: 'Steady' });
    expect(await lookAt(vm, { deliveredSeq: 1 })).toMatchObject({ healWanted: true });
  });

  it('understands what a workflow of 0.1 asked for', async () => {
    await database.pool.query('DELETE FROM policies');
    await storePolicy({});
    found = 'unhealthy';
    const vm = await registerVm(database);
    const old = { deliveredSeq: undefined, healOpen: undefined, watchCloselyUntilMs: undefined };
    const closely = { ...old, toldSeq: 1, healTold: true, closeUpUntilMs: NOON + 60_000 };
    const steady = await lookAt(vm, closely).catch((error: unknown) => error);
    expect(steady).toMatchObject({ type: 'Steady' });
    expect((steady as ApplicationFailure).nextRetryDelay).toBeLessThanOrEqual(5_000);
    expect(await lookAt(vm, { ...old, toldSeq: 0, healTold: true, closeUpUntilMs: null })).toMatchObject({
      seq: 1,
      healWanted: false,
    });
  });
});
