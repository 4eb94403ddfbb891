import { join } from 'node:path';
import { afterAll, beforeAll, describe, type ExpectStatic, test } from 'vitest';
import { workflowBundle } from '../../workers/workflow-bundle.ts';
import { type OwnTemporal, startOwnTemporal } from '../support/real-world.ts';
import { describeNeeding } from '../support/requirements.ts';
import { BUNDLES } from '../support/run-workers.ts';
import type { FaultPoint } from './support/fault-points.ts';
import { createVmWorld, type VmWorld } from './support/vm-world.ts';
import { type OperationTold, PATIENT, SHORT_VERIFY_SECONDS, VERIFY_SECONDS, watchVm } from './support/watched-vm.ts';
import type { TestVm } from './vm/start-test-vm.ts';

const LONG_MS = 540_000;
/** No second chance: a reset too many would be forgiven by it. */
const ONCE = { timeout: LONG_MS, retry: 0 };

type Expected = Omit<OperationTold, 'detail'>;

interface Case {
  point: FaultPoint;
  when: string;
  /** Its web server hangs, unless it is made ill in another way. */
  makeIll?: (vm: TestVm) => Promise<unknown>;
  /** All that is decided, in order. The worker dies in the first reset. */
  operations: readonly Expected[];
}

const NEVER_SENT: Expected = { action: 'restart', state: 'abandoned', resets: 0, event: 'failed' };
const CAME_TO_NOTHING: Expected = { action: 'restart', state: 'done', resets: 0, event: 'failed' };
/** Reset, but its CPUs stand still: they were to be told to go on after that. */
const HALF_DONE: Expected = { action: 'restart', state: 'done', resets: 1, event: 'failed' };
const HELPED: Expected = { action: 'restart', state: 'done', resets: 1, event: 'success' };
const RESUMED_IN_VAIN: Expected = { action: 'resume', state: 'done', resets: 0, event: 'failed' };

const NOT_WRITTEN: readonly Case[] = [
  {
    point: 'before-provider',
    when: 'before it asks for the hypervisor',
    operations: [NEVER_SENT, HELPED],
  },
  {
    point: 'monitor-held',
    when: 'while it waits for a monitor that somebody holds',
    operations: [NEVER_SENT, HELPED],
  },
  {
    point: 'before-sent',
    when: 'connected, before the operation is marked as sent',
    operations: [NEVER_SENT, HELPED],
  },
  {
    point: 'after-sent',
    when: 'between that mark and the write',
    operations: [CAME_TO_NOTHING, HELPED],
  },
  {
    point: 'before-write',
    when: 'right before the reset is written to the socket',
    operations: [CAME_TO_NOTHING, HELPED],
  },
];

const WRITTEN: readonly Case[] = [
  { point: 'after-write', when: 'right after the reset was written to the socket', operations: [HELPED] },
  {
    point: 'after-write',
    when: 'right after the reset of a VM was written that hangs and was paused: resumed first, in vain',
    makeIll: async (vm) => {
      await vm.hang();
      await vm.qmp('stop');
    },
    operations: [RESUMED_IN_VAIN, HELPED],
  },
  {
    point: 'after-write',
    when: 'before a VM whose kernel panicked, and that was reset, goes on',
    makeIll: (vm) => vm.panic(),
    operations: [HALF_DONE, HELPED],
  },
  { point: 'after-answer', when: 'after the answer, before it is recorded', operations: [HELPED] },
  { point: 'mid-look', when: 'in the look that would have asked for a heal', operations: [HELPED] },
  { point: 'mid-verify', when: 'in a look within the verify window', operations: [HELPED] },
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
        const world = await createVmWorld(temporal);
        try {
          await killedAt(world, one, expect);
        } finally {
          await world.stop();
        }
      });
    }
  }
});

async function killedAt(world: VmWorld, { point, makeIll, operations }: Case, expect: ExpectStatic): Promise<void> {
  const { vm } = world;
  const faulty = world.startFaultyWorker(point);
  const firstComesToNothing = operations[0] !== HELPED;
  const watched = await watchVm(world, point, firstComesToNothing ? SHORT_VERIFY_SECONDS : VERIFY_SECONDS, expect);

  await (makeIll ?? ((one) => one.hang()))(vm);
  if (operations[0] === RESUMED_IN_VAIN) {
    // the reset, which comes some looks later, is given time to boot
    await expect.poll(watched.operations, PATIENT).toMatchObject([{ action: 'resume', state: 'done' }]);
    await watched.setVerifySeconds(VERIFY_SECONDS);
  }
  expect(await faulty.ended, faulty.err()).toBe('SIGKILL');
  expect(faulty.reachedItsPoint()).toBe(true);
  await watched.setVerifySeconds(VERIFY_SECONDS);
  const fresh = world.startWorker();

  try {
    await watched.untilRecovered();
  } catch (error) {
    throw new Error(`${fresh.err()}\n${await watched.report()}`, { cause: error });
  }
  const told = await watched.operations();
  expect(told, fresh.err()).toMatchObject(operations);
  expect(vm.resets()).toBe(operations.reduce((sum, { resets }) => sum + resets, 0));
}
