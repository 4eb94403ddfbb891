import { ApplicationFailure } from '@temporalio/common';
import { expect, it } from 'vitest';
import { reconcile } from '../../activities/reconcile.ts';
import { CORE_TASK_QUEUE, vmWorkflowId } from '../../domain/ids.ts';
import { until } from '../../local/until.ts';
import type { vmHealth } from '../../workflows/index.ts';
import { type LookedNow, vmSignals, vmUpdates, WORKFLOW } from '../../workflows/messages.ts';
import { registerVm } from '../db/watched.ts';
import { openTestDatabase } from '../support/postgres.ts';
import { describeNeeding } from '../support/requirements.ts';
import { health, steady } from '../support/scripted-activities.ts';
import { reconcilingOn } from './reconciling.ts';
import { useScriptedVm } from './scripted-vm.ts';

describeNeeding(['temporal'], 'a pause of an ill VM', () => {
  const { vm, admit, admitWithRunningLook, view, newRun, retire, client } = useScriptedVm();

  it('is told to the heal that runs, and so is its end', async () => {
    vm.onLook = (input) => {
      if (input.deliveredSeq === 0) return health(1, 'unhealthy', true);
      return input.now ? health(1, 'unhealthy') : steady('1 hour');
    };
    const handle = await admit();
    await until(() => vm.decided === 1);
    await handle.signal(vmSignals.pause, { reason: 'rack move' });
    await until(() => vm.decided === 2);
    expect(vm.stored).toEqual(['rack move']);
    await handle.signal(vmSignals.resume);
    await until(() => vm.decided === 3);
    expect(vm.stored).toEqual(['rack move', null]);
    expect(vm.opened).toBe(1);
    await retire(handle);
  });

  it('keeps the look that it ends from opening a heal, and the first look after it opens one', async () => {
    const { handle, release } = await admitWithRunningLook(() => health(1, 'unhealthy', true));
    await handle.signal(vmSignals.pause, { reason: 'rack move' });
    await until(async () => (await view(handle)).paused !== null);
    release();
    await until(() => vm.stored.length === 1);
    expect(vm.opened).toBe(0);
    vm.onLook = (input) => (input.healOpen ? steady('1 hour') : health(1, 'unhealthy', true));
    await handle.signal(vmSignals.resume);
    await until(() => vm.decided === 1);
    expect(vm.opened).toBe(1);
    await retire(handle);
  });

  it('is no failure of the look that it ends', async () => {
    const { handle, release } = await admitWithRunningLook(() => steady('1 hour'));
    await handle.signal(vmSignals.pause, { reason: 'rack move' });
    await until(async () => (await view(handle)).paused !== null);
    release();
    await until(() => vm.stored.length === 1);
    expect((await view(handle)).line).toBe('not looked at yet');
    await retire(handle);
  });

  it('is over for a heal that waits for that, also when the VM finds its incident only then', async () => {
    vm.onLook = (input) => (input.healOpen ? steady('1 hour') : health(1, 'unhealthy', true));
    const handle = await admit();
    await until(() => vm.decided === 1);
    // the heal runs on, and nobody tells it anything: it is not the VM's any more
    await handle.signal(vmSignals.healEnded, { incident: 1 });
    await until(() => vm.decided === 2);
    expect(vm.opened).toBe(2);
    expect((await view(handle)).incident).toBe(1);
    await retire(handle);
  });

  it('stores a pause that is signalled, neither looks nor heals until it is resumed, and stores that', async () => {
    const handle = await admit();
    await until(() => vm.looks.length >= 1);
    await handle.signal(vmSignals.pause, { reason: 'rack move' });
    await until(async () => (await view(handle)).paused === 'rack move');
    await until(() => vm.stored.length === 1);
    const before = vm.looks.length;
    await handle.signal(vmSignals.lookNow);
    await expect(handle.executeUpdate<LookedNow, []>(vmUpdates.look)).rejects.toThrow();
    const described = await handle.describe();
    expect(described.raw.pendingActivities ?? []).toEqual([]);
    expect(vm.looks.length).toBe(before);
    await handle.signal(vmSignals.resume);
    await until(() => vm.looks.length > before);
    expect(vm.stored).toEqual(['rack move', null]);
    await retire(handle);
  });

  it('goes on being paused, and tries again, while its pause can not be stored', async () => {
    vm.onStorePause = () => {
      throw ApplicationFailure.nonRetryable('the database is away');
    };
    const handle = await admit();
    await until(() => vm.looks.length >= 1);
    const before = vm.looks.length;
    await handle.signal(vmSignals.pause, { reason: 'rack move' });
    await until(() => vm.stored.length >= 2);
    expect(vm.looks.length).toBe(before);
    await retire(handle);
  });

  /** Scripts looks by a row that says whether the VM is paused. */
  function scriptPausedRow(): { paused: boolean } {
    const row = { paused: true };
    vm.onLook = (input) => {
      if (row.paused) return { kind: 'paused', reason: 'moving house' };
      return input.paused ? health(1, 'unhealthy', true) : steady('1 hour');
    };
    return row;
  }

  it('is paused when the database says so, and looks no more until its settings change', async () => {
    const row = scriptPausedRow();
    const handle = await admit();
    await until(async () => (await view(handle)).paused === 'moving house');
    expect((await handle.describe()).raw.pendingActivities ?? []).toEqual([]);
    expect(vm.stored).toEqual([]);

    await handle.signal(vmSignals.settingsChanged, { version: 2, site: 'main', lookSooner: false });
    await until(() => vm.looks.length === 2);
    expect(vm.looks[1]).toMatchObject({ paused: true, settingsVersion: 2 });
    expect((await view(handle)).paused).toBe('moving house');

    row.paused = false;
    await handle.signal(vmSignals.settingsChanged, { version: 3, site: 'main', lookSooner: true });
    await until(async () => (await view(handle)).paused === null);
    await until(() => vm.decided >= 1);
    await until(() => vm.looks.at(-1)?.paused === false);
    await retire(handle);
  });

  it('looks whether it is still paused when it goes on as a new run', async () => {
    const row = scriptPausedRow();
    const handle = await admit();
    await until(async () => (await view(handle)).paused !== null);
    row.paused = false;
    await handle.signal(vmSignals.renew);
    await newRun(handle);
    await until(async () => (await view(handle)).paused === null);
    await retire(handle);
  });

  it('is looked at again by reconcile where only its workflow holds it for paused, as after a restore', async () => {
    const row = scriptPausedRow();
    const handle = await admit();
    await until(async () => (await view(handle)).paused !== null);
    row.paused = false;
    const { database, close } = await openTestDatabase();
    await registerVm(database, { id: vm.id, announcedVersion: 1 });
    const { deps } = reconcilingOn(database, client());
    await until(async () => (await reconcile(deps)).mended > 0);
    await until(async () => (await view(handle)).paused === null);
    await until(() => vm.looks.at(-1)?.paused === false);
    await close();
    await retire(handle);
  });

  it('stores a pause that a run of 0.1 carries', async () => {
    const carried = {
      toldSeq: 1,
      status: 'healthy',
      line: '',
      incident: null,
      paused: 'since 0.1',
      settingsVersion: 1,
    };
    await client().workflow.start<(input: unknown) => Promise<void>>(WORKFLOW.vmHealth, {
      workflowId: vmWorkflowId(vm.id),
      taskQueue: CORE_TASK_QUEUE,
      args: [{ vmId: vm.id, tenantId: 'default', site: 'main', carried }],
    });
    await until(() => vm.stored.length === 1);
    expect(vm.stored).toEqual(['since 0.1']);
    expect(vm.looks).toEqual([]);
    await retire(client().workflow.getHandle<typeof vmHealth>(vmWorkflowId(vm.id)));
  });

  it('starts no heal of a VM that was paused while its look said that one is wanted', async () => {
    vm.onLook = (input) => (input.deliveredSeq === 0 ? health(1, 'unhealthy', true) : { kind: 'paused', reason: 'x' });
    vm.onOpen = () => null;
    const handle = await admit();
    await until(() => vm.looks.length === 1);
    await handle.signal(vmSignals.settingsChanged, { version: 2, site: 'main', lookSooner: true });
    await until(async () => (await view(handle)).paused === 'x');
    expect(vm.decided).toBe(0);
    await retire(handle);
  });
});
