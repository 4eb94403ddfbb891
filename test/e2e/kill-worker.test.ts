import { join } from 'node:path';
import { afterAll, beforeAll, describe, type ExpectStatic, test } from 'vitest';
import { z } from 'zod';
import { healEventAnswer, incidentListAnswer } from '../../api/schemas/heals.ts';
import { healthAnswer } from '../../api/schemas/health.ts';
import { policyAnswer } from '../../api/schemas/policies.ts';
import { workflowBundle } from '../../workers/workflow-bundle.ts';
import { registerVm } from '../support/http-vm.ts';
import { type OwnTemporal, startOwnTemporal } from '../support/real-world.ts';
import { describeNeeding } from '../support/requirements.ts';
import { BUNDLES } from '../support/run-workers.ts';
import type { FaultPoint } from './support/fault-points.ts';
import { createKillWorld, type KillWorld } from './support/kill-world.ts';
import { vmReport } from './support/vm-report.ts';

const LONG_MS = 540_000;
/** No second chance: a reset too many would be forgiven by it. */
const ONCE = { timeout: LONG_MS, retry: 0 };
const PATIENT = { timeout: 400_000, interval: 300 };

/** Long enough for a reset guest to serve again, also when several boot at once on two busy cores; costs nothing. */
const VERIFY_SECONDS = 400;
/** The shortest that the API takes for this check: for remedies that came to nothing. */
const SHORT_VERIFY_SECONDS = 5;

interface Case {
  point: FaultPoint;
  when: string;
  /** Of the operation under way when the worker died. */
  first: { state: 'abandoned' | 'done'; resets: number; event: 'failed' | 'success' };
  /** The VM's CPUs are frozen, instead of its web server. */
  frozen?: boolean;
}

const NEVER_SENT = { state: 'abandoned', resets: 0, event: 'failed' } as const;
const CAME_TO_NOTHING = { state: 'done', resets: 0, event: 'failed' } as const;
const HELPED = { state: 'done', resets: 1, event: 'success' } as const;
/** Reset, but still frozen: it was to be told to go on after that. */
const HALF_DONE = { state: 'done', resets: 1, event: 'failed' } as const;

const NOT_WRITTEN: readonly Case[] = [
  { point: 'before-sent', when: 'before the operation is marked as sent', first: NEVER_SENT },
  { point: 'before-provider', when: 'between that mark and the hypervisor', first: CAME_TO_NOTHING },
  { point: 'monitor-held', when: 'while it waits for a monitor that somebody holds', first: CAME_TO_NOTHING },
  { point: 'before-write', when: 'right before the reset is written to the socket', first: CAME_TO_NOTHING },
];

const WRITTEN: readonly Case[] = [
  { point: 'after-write', when: 'right after the reset was written to the socket', first: HELPED },
  { point: 'after-write', when: 'before a frozen VM that was reset goes on', first: HALF_DONE, frozen: true },
  { point: 'after-answer', when: 'after the answer, before it is recorded', first: HELPED },
  { point: 'mid-look', when: 'in the look that would have asked for a heal', first: HELPED },
  { point: 'mid-verify', when: 'in a look within the verify window', first: HELPED },
];

// Per operation at most one reset is counted at the VM, nothing stays in doubt, and the VM is healthy in the end.
describeNeeding(['qemu', 'temporal'], 'a worker killed by SIGKILL', () => {
  let temporal: OwnTemporal;

  beforeAll(async () => {
    temporal = await startOwnTemporal();
    await workflowBundle(join(BUNDLES, 'cache'));
  }, LONG_MS);

  afterAll(() => temporal?.stop(), LONG_MS);

  describe('with nothing written to the hypervisor', () => inWorldsOfTheirOwn(NOT_WRITTEN));
  describe('with a reset written, once', () => inWorldsOfTheirOwn(WRITTEN));

  /** Side by side: most of the time they wait for the limits of what died. */
  function inWorldsOfTheirOwn(cases: readonly Case[]): void {
    for (const one of cases) {
      test.concurrent(one.when, ONCE, async ({ expect }) => {
        const world = await createKillWorld(temporal);
        try {
          await killedAt(world, one, expect);
        } finally {
          await world.stop();
        }
      });
    }
  }
});

async function killedAt(world: KillWorld, { point, first, frozen = false }: Case, expect: ExpectStatic): Promise<void> {
  const { rest, vm, startFaultyWorker, startWorker } = world;
  const faulty = startFaultyWorker(point);
  const { qmpSocket } = vm;
  const vmId = await registerVm(rest, { name: point, qmpSocket, target: `${vm.url}/health`, intervalSeconds: 3 });
  const health = () => rest.get(`/api/vms/${vmId}/health`, healthAnswer);
  const incidentsOf = async () => (await rest.get(`/api/vms/${vmId}/incidents`, incidentListAnswer)).incidents;
  const setPolicy = (policy: object) => rest.post('/api/vms/auto-heal/policies', policy, policyAnswer);
  await expect.poll(health, PATIENT).toMatchObject({ status: 'healthy' });
  const policy = await setPolicy({
    name: 'restart',
    action: 'restart',
    triggerAfterFailures: 2,
    cooldownMinutes: 0,
    maxAttempts: 20,
    verifySeconds: first.event === 'failed' ? SHORT_VERIFY_SECONDS : VERIFY_SECONDS,
  });

  await (frozen ? vm.qmp('stop') : vm.hang());
  expect(await faulty.ended, faulty.err()).toBe('SIGKILL');
  expect(faulty.reachedItsPoint()).toBe(true);
  await setPolicy({ id: policy.body.id, verifySeconds: VERIFY_SECONDS });
  const fresh = startWorker();

  try {
    await expect.poll(incidentsOf, PATIENT).toMatchObject([{ closedAt: expect.any(String), outcome: 'recovered' }]);
  } catch (error) {
    throw new Error(`${fresh.err()}\n${await vmReport(rest, vmId, vm)}`, { cause: error });
  }
  await expect.poll(health, PATIENT).toMatchObject({ status: 'healthy' });
  expect(await vm.health(10_000)).toBe(200);
  const operations = (await incidentsOf()).flatMap((incident) => incident.operations);
  const events = await rest.get(`/api/vms/${vmId}/auto-heal/history`, z.array(healEventAnswer));
  const told = operations.map(({ id, state, detail, sentAt }) => ({
    id,
    state,
    detail,
    resets: resetsFor(id, operations, vm.resetTimes()),
    sentAt,
    event: events.find(({ operationId }) => operationId === id)?.result,
  }));
  expect(told[0], fresh.err()).toMatchObject(first);
  expect(told.at(-1)).toMatchObject(HELPED);
  // one that was needed is enough, and none is left in doubt
  expect(told).toHaveLength(first.event === 'failed' ? 2 : 1);
  expect(told.filter(({ resets }) => resets > 1)).toEqual([]);
  expect(vm.resets()).toBe(told.reduce((sum, { resets }) => sum + resets, 0));
  expect(told.filter(({ state }) => state !== 'done' && state !== 'abandoned')).toEqual([]);
}

interface Sent {
  id: string;
  sentAt: string | null;
}

/** The resets that QEMU did after this operation was marked as sent, and before the next one was. */
function resetsFor(id: string, operations: readonly Sent[], resetTimes: readonly number[]): number {
  const sent = operations
    .flatMap((operation) =>
      operation.sentAt === null ? [] : [{ id: operation.id, atMs: Date.parse(operation.sentAt) }],
    )
    .toSorted((a, b) => a.atMs - b.atMs);
  return resetTimes.filter((atMs) => sent.findLast((operation) => operation.atMs <= atMs)?.id === id).length;
}
