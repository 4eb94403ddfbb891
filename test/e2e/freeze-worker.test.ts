import { join } from 'node:path';
import { afterAll, beforeAll, type ExpectStatic, test } from 'vitest';
import { until } from '../../local/until.ts';
import { workflowBundle } from '../../workers/workflow-bundle.ts';
import { type OwnTemporal, startOwnTemporal } from '../support/real-world.ts';
import { describeNeeding } from '../support/requirements.ts';
import { BUNDLES } from '../support/run-workers.ts';
import type { FaultPoint } from './support/fault-points.ts';
import { createVmWorld, type FaultyWorker, type VmWorld } from './support/vm-world.ts';
import { PATIENT, SHORT_VERIFY_SECONDS, VERIFY_SECONDS, type WatchedVm, watchVm } from './support/watched-vm.ts';

const LONG_MS = 540_000;
/** No second chance: a reset too many would be forgiven by it. */
const ONCE = { timeout: LONG_MS, retry: 0 };

const HELPED = { action: 'restart', state: 'done', resets: 1, event: 'success' };
const TOO_LATE = 'not sent: it could not be confirmed in time that it is still wanted';

interface Frozen {
  world: VmWorld;
  watched: WatchedVm;
  expect: ExpectStatic;
  faulty: FaultyWorker;
}

// It holds the only connection to the VM's monitor until it goes on: QMP serves nobody else meanwhile.
describeNeeding(['qemu', 'temporal'], 'a worker frozen by SIGSTOP in the first reset of a heal', () => {
  let temporal: OwnTemporal;

  beforeAll(async () => {
    temporal = await startOwnTemporal();
    await workflowBundle(join(BUNDLES, 'cache'));
  }, LONG_MS);

  afterAll(() => temporal?.stop(), LONG_MS);

  // its machine is frozen too: what it had prepared is not given up by its own clock
  frozenAt('frozen-connected', 'connected to the monitor, sends nothing when it goes on', neverSends);
  frozenAt('frozen-in-move', 'within the move to sent, has it undone by Postgres, and sends nothing', neverSends);

  frozenAt(
    'frozen-in-commit',
    'with the move to sent committed and not known to it, sends nothing: what was presumed done was no attempt',
    async (frozen) => {
      const { world, watched, faulty, expect } = frozen;
      await holdsAsBusy(frozen);
      expect(await watched.operations()).toMatchObject([{ state: 'done', event: 'failed' }]);
      expect(await watched.health()).toMatchObject({ autoHealAttempts: 1 });
      await watched.setVerifySeconds(VERIFY_SECONDS);
      faulty.thaw();
      await watched.untilRecovered();
      const noAttempt = { state: 'abandoned', detail: TOO_LATE, resets: 0, event: 'skipped' };
      expect(await watched.operations(), faulty.err()).toMatchObject([noAttempt, HELPED]);
      expect(await watched.health()).toMatchObject({ autoHealAttempts: 1 });
      expect(world.vm.resets()).toBe(1);
    },
  );

  frozenAt(
    'frozen-before-confirmation',
    'with its machine, between the move to sent and its confirmation, leaves a VM alone that a person has reset',
    async (frozen) => {
      const { world, watched, faulty, expect } = frozen;
      await expect.poll(watched.operations, PATIENT).toMatchObject([{ state: 'done' }]);
      expect(world.vm.resets()).toBe(0);
      await world.vm.qmp('system_reset');
      await watched.untilRecovered();
      const bootId = await world.vm.bootId();
      faulty.thaw();
      const noAttempt = { state: 'abandoned', detail: TOO_LATE, event: 'skipped' };
      await expect.poll(watched.operations, PATIENT).toMatchObject([noAttempt]);
      expect(await watched.health()).toMatchObject({ autoHealAttempts: 0 });
      expect(world.vm.resets()).toBe(1);
      expect(await world.vm.bootId()).toBe(bootId);
    },
    VERIFY_SECONDS,
  );

  async function neverSends(frozen: Frozen): Promise<void> {
    const { world, watched, faulty, expect } = frozen;
    await holdsAsBusy(frozen);
    const neverSent = { state: 'abandoned', resets: 0, event: 'failed' };
    expect(await watched.operations()).toMatchObject([neverSent]);
    await watched.setVerifySeconds(VERIFY_SECONDS);
    faulty.thaw();
    await watched.untilRecovered();
    expect(await watched.operations(), faulty.err()).toMatchObject([neverSent, HELPED]);
    expect(world.vm.resets()).toBe(1);
  }

  /** A second worker goes on while the first stands still. */
  function frozenAt(
    point: FaultPoint,
    title: string,
    then: (frozen: Frozen) => Promise<void>,
    verifySeconds = SHORT_VERIFY_SECONDS,
  ): void {
    test.concurrent(title, ONCE, async ({ expect }) => {
      const world = await createVmWorld(temporal);
      try {
        const faulty = world.startFaultyWorker(point);
        const watched = await watchVm(world, point, verifySeconds, expect);
        await world.vm.hang();
        await until(faulty.reachedItsPoint);
        const fresh = world.startWorker();
        await then({ world, watched, faulty, expect }).catch(async (error: unknown) => {
          throw new Error(`${faulty.err()}\n${fresh.err()}\n${await watched.report()}`, { cause: error });
        });
      } finally {
        await world.stop();
      }
    });
  }

  async function holdsAsBusy({ world, watched, expect }: Frozen): Promise<void> {
    const provider = expect.objectContaining({ answered: false, reason: 'busy' });
    const busy = { reason: 'provider-unreachable', facts: expect.objectContaining({ provider }) };
    await expect.poll(watched.holds, PATIENT).toContainEqual(expect.objectContaining(busy));
    expect(world.vm.resets()).toBe(0);
  }
});
