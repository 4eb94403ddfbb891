import { ApplicationFailure } from '@temporalio/common';
import { expect, it } from 'vitest';
import { healWorkflowId } from '../../domain/ids.ts';
import { until } from '../../local/until.ts';
import { type LookedNow, vmSignals, vmUpdates } from '../../workflows/messages.ts';
import { describeNeeding } from '../support/requirements.ts';
import { health, steady } from '../support/scripted-activities.ts';
import { useScriptedVm } from './scripted-vm.ts';

describeNeeding(['temporal'], 'a VM whose look is cut short, on a real server', () => {
  const { vm, admit, admitWithRunningLook, view, newRun, retire, client } = useScriptedVm();

  // the four ways in which a cancelled look ends
  it('ends a look in backoff at once and asks again', async () => {
    const handle = await admit();
    await until(() => vm.looks.length >= 1);
    await handle.signal(vmSignals.settingsChanged, { version: 7, site: 'main', lookSooner: true });
    await until(() => vm.looks.some((look) => look.settingsVersion === 7));
    await retire(handle);
  });

  it('lets a running look end steadily and asks again', async () => {
    const { handle, release } = await admitWithRunningLook(() => steady('1 hour'));
    await handle.signal(vmSignals.settingsChanged, { version: 7, site: 'main', lookSooner: true });
    await until(async () => (await view(handle)).settingsVersion === 7);
    release();
    await until(() => vm.looks.some((look) => look.settingsVersion === 7));
    await retire(handle);
  });

  it('hears the result of a look that was being cancelled', async () => {
    const { handle, release } = await admitWithRunningLook(() => health(1, 'unhealthy'));
    await handle.signal(vmSignals.settingsChanged, { version: 7, site: 'main', lookSooner: true });
    await until(async () => (await view(handle)).settingsVersion === 7);
    release();
    await until(() => vm.looks.some((look) => look.settingsVersion === 7));
    expect(vm.looks.find((look) => look.settingsVersion === 7)?.deliveredSeq).toBe(1);
    expect((await view(handle)).status).toBe('unhealthy');
    await retire(handle);
  });

  it('outlives a look that fails in an ordinary way while it is cancelled', async () => {
    const { handle, release } = await admitWithRunningLook(() => {
      throw ApplicationFailure.nonRetryable('disk on fire');
    });
    await handle.signal(vmSignals.settingsChanged, { version: 7, site: 'main', lookSooner: true });
    await until(async () => (await view(handle)).settingsVersion === 7);
    release();
    await until(() => vm.looks.some((look) => look.settingsVersion === 7));
    expect((await handle.describe()).status.name).toBe('RUNNING');
    await retire(handle);
  });

  it('continues as new with a look in backoff', async () => {
    vm.onLook = (input) => (input.deliveredSeq === 0 ? health(1, 'degraded') : steady('1 hour'));
    const handle = await admit();
    await until(() => vm.looks.length >= 2);
    await handle.signal(vmSignals.renew);
    await newRun(handle);
    await until(() => vm.looks.length === 3);
    expect(vm.looks.at(-1)).toMatchObject({ deliveredSeq: 1 });
    await retire(handle);
  });

  it('continues as new after a running look has ended', async () => {
    const { handle, release } = await admitWithRunningLook(() => steady('1 hour'));
    await handle.signal(vmSignals.renew);
    await view(handle);
    expect((await handle.describe()).runId).toBe(handle.firstRunId);
    release();
    await newRun(handle);
    await retire(handle);
  });

  it('carries a transition that a look returned while it was continuing as new', async () => {
    const { handle, release } = await admitWithRunningLook(() => health(1, 'unhealthy', true));
    await handle.signal(vmSignals.renew);
    await view(handle);
    release();
    await newRun(handle);
    await until(() => vm.looks.length >= 2);
    expect(vm.looks.at(-1)).toMatchObject({ deliveredSeq: 1, healOpen: true });
    expect(vm.opened).toBe(1);
    expect(await view(handle)).toMatchObject({ status: 'unhealthy', incident: 1 });
    await retire(handle);
  });

  it('opens the heal anew when it is gone', async () => {
    vm.onOpen = () => vm.opened;
    vm.onLook = (input) => {
      if (input.deliveredSeq === 0) return health(1, 'unhealthy', true);
      return input.healOpen ? steady('1 hour') : health(input.deliveredSeq, 'unhealthy', true);
    };
    const handle = await admit();
    await until(() => vm.decided >= 1);
    await client().workflow.getHandle(healWorkflowId(vm.id, 1)).terminate();
    await handle.signal(vmSignals.attemptsReset);
    await until(async () => (await view(handle)).incident === 2);
    expect(vm.opened).toBe(2);
    await retire(handle);
  });

  it('hears that its VM is deleted while an incident is being opened', async () => {
    vm.onLook = (input) => health(input.deliveredSeq + 1, 'unhealthy', true);
    vm.onOpen = () => {
      throw new Error('the database is away');
    };
    const handle = await admit();
    await until(() => vm.looks.length === 1);
    await handle.signal(vmSignals.retire);
    await handle.result();
    expect(vm.decided).toBe(0);
  });

  it('goes on with older settings when the database was restored from before those it knows of', async () => {
    vm.onLook = (input) => (input.settingsVersion > 4 ? { kind: 'settings-lost', version: 3 } : steady('1 hour'));
    const handle = await admit();
    await until(() => vm.looks.length >= 1);
    await handle.signal(vmSignals.settingsChanged, { version: 9, site: 'main', lookSooner: true });
    await until(() => vm.looks.at(-1)?.settingsVersion === 3);
    expect((await view(handle)).settingsVersion).toBe(3);
    await handle.signal(vmSignals.settingsChanged, { version: 4, site: 'main', lookSooner: true });
    // that look says at once that those are lost too, and the next one asks for the older ones again
    await until(() => vm.looks.some((look) => look.settingsVersion === 4));
    await retire(handle);
  });

  it('looks by a shorter interval although its announcement comes late', async () => {
    const handle = await admit();
    await handle.signal(vmSignals.settingsChanged, { version: 9, site: 'main', lookSooner: false });
    await until(async () => (await view(handle)).settingsVersion === 9);
    const before = vm.looks.length;
    await handle.signal(vmSignals.settingsChanged, { version: 8, site: 'elsewhere', lookSooner: true });
    await until(() => vm.looks.length > before);
    expect(vm.looks.at(-1)?.settingsVersion).toBe(9);
    expect((await view(handle)).site).toBe('main');
    await retire(handle);
  });

  it('answers update `look` with what was seen', async () => {
    vm.onLook = (input) => (input.now ? health(input.deliveredSeq, 'healthy') : steady('1 hour'));
    const handle = await admit();
    await until(() => vm.looks.length >= 1);
    expect(await handle.executeUpdate<LookedNow, []>(vmUpdates.look)).toEqual({ status: 'healthy', line: 'healthy' });
    await retire(handle);
  });

  it('answers update `look`, and can continue as new, when the VM is paused meanwhile', async () => {
    vm.onLook = () => steady('1 hour');
    const handle = await admit();
    await until(() => vm.looks.length >= 1);
    const answer = await handle.startUpdate<LookedNow, []>(vmUpdates.look, { waitForStage: 'ACCEPTED' });
    await until(() => vm.looks.length >= 2);
    await handle.signal(vmSignals.pause, { reason: 'rack move' });
    expect(await answer.result()).toMatchObject({ line: 'paused' });
    await retire(handle);
  });

  it('leaves a pending look alone when settings change but nothing is due sooner', async () => {
    vm.onLook = () => steady('50 milliseconds');
    const handle = await admit();
    await until(() => vm.looks.length >= 1);
    const before = (await handle.describe()).historyLength;
    await handle.signal(vmSignals.settingsChanged, { version: 2, site: 'main', lookSooner: false });
    await until(() => vm.looks.length >= 3);
    const types = (await handle.fetchHistory()).events
      ?.slice(before)
      .map((event) => event.activityTaskScheduledEventAttributes);
    expect(types?.every((attributes) => !attributes)).toBe(true);
    expect((await view(handle)).settingsVersion).toBe(2);
    await retire(handle);
  });

  it('watches closely while a remedy is verified', async () => {
    vm.onLook = (input) => (input.deliveredSeq === 0 ? health(1, 'unhealthy', true) : steady('1 hour'));
    const handle = await admit();
    await until(() => vm.decided >= 1);
    const untilMs = Date.now() + 60_000;
    await handle.signal(vmSignals.watchClosely, { incident: 1, untilMs });
    await until(() => vm.looks.at(-1)?.watchCloselyUntilMs === untilMs);
    await handle.signal(vmSignals.healEnded, { incident: 1 });
    await until(() => vm.looks.at(-1)?.watchCloselyUntilMs === null);
    expect(await view(handle)).toMatchObject({ incident: null });
    await retire(handle);
  });

  it('tells its heal when attempts are reset', async () => {
    vm.onLook = (input) => (input.deliveredSeq === 0 ? health(1, 'unhealthy', true) : steady('1 hour'));
    const handle = await admit();
    await until(() => vm.decided === 1);
    await handle.signal(vmSignals.attemptsReset);
    await until(() => vm.decided === 2);
    await retire(handle);
  });
});
