import { ApplicationFailure } from '@temporalio/common';
import { expect, it } from 'vitest';
import { until } from '../../local/until.ts';
import { vmSignals } from '../../workflows/messages.ts';
import { describeNeeding } from '../support/requirements.ts';
import { health, steady } from '../support/scripted-activities.ts';
import { useScriptedVm } from './scripted-vm.ts';

describeNeeding(['temporal'], 'a VM whose workflow continues as new', () => {
  const { vm, admit, admitWithRunningLook, newRun, view, details, retire } = useScriptedVm();

  it('stays paused', async () => {
    vm.onLook = (input) => (input.paused ? { kind: 'paused', reason: 'rack move' } : steady('1 hour'));
    const handle = await admit();
    await until(() => vm.looks.length === 1);
    await handle.signal(vmSignals.pause, { reason: 'rack move' });
    await until(() => vm.stored.length === 1);
    await handle.signal(vmSignals.renew);
    await newRun(handle);
    await until(() => vm.looks.length === 2);
    expect(vm.looks[1]).toMatchObject({ paused: true });
    expect((await view(handle)).paused).toBe('rack move');
    await retire(handle);
  });

  it('stores a pause that the run before could not store', async () => {
    vm.onStorePause = () => {
      throw ApplicationFailure.nonRetryable('the database is away');
    };
    const handle = await admit();
    await until(() => vm.looks.length === 1);
    await handle.signal(vmSignals.pause, { reason: 'rack move' });
    await until(() => vm.stored.length === 1);
    vm.onStorePause = () => undefined;
    await handle.signal(vmSignals.renew);
    await newRun(handle);
    await until(() => vm.stored.length === 2);
    expect(vm.stored).toEqual(['rack move', 'rack move']);
    await retire(handle);
  }, 60_000);

  it('goes on being watched closely, in the care of the same heal', async () => {
    vm.onLook = (input) => (input.deliveredSeq === 0 ? health(1, 'unhealthy', true) : steady('1 hour'));
    const handle = await admit();
    await until(() => vm.decided === 1);
    const untilMs = Date.now() + 60_000;
    await handle.signal(vmSignals.watchClosely, { incident: 1, untilMs });
    await until(() => vm.looks.at(-1)?.watchCloselyUntilMs === untilMs);
    const before = vm.looks.length;
    await handle.signal(vmSignals.renew);
    await newRun(handle);
    await until(() => vm.looks.length > before);
    expect(vm.looks.at(-1)).toMatchObject({ watchCloselyUntilMs: untilMs, healOpen: true, deliveredSeq: 1 });
    expect(vm.opened).toBe(1);
    await retire(handle);
  });

  it('still owes the look that was asked for', async () => {
    const { handle, release } = await admitWithRunningLook(() => steady('1 hour'));
    await handle.signal(vmSignals.lookNow);
    await handle.signal(vmSignals.renew);
    await view(handle);
    release();
    await newRun(handle);
    await until(() => vm.looks.length === 2);
    expect(vm.looks[1]).toMatchObject({ now: true });
    await retire(handle);
  });

  it('knows the settings that the run before was told of, and its site', async () => {
    const handle = await admit();
    await until(() => vm.looks.length === 1);
    await handle.signal(vmSignals.settingsChanged, { version: 7, site: 'main', lookSooner: false });
    await handle.signal(vmSignals.renew);
    await newRun(handle);
    await until(() => vm.looks.length === 2);
    expect(vm.looks[1]).toMatchObject({ settingsVersion: 7 });
    expect(await view(handle)).toMatchObject({ settingsVersion: 7, site: 'main' });
    await retire(handle);
  });

  it('shows in lists and in the Web UI what the run before showed', async () => {
    vm.onLook = (input) => (input.deliveredSeq === 0 ? health(1, 'degraded') : steady('1 hour'));
    const handle = await admit();
    await until(() => vm.looks.length === 2);
    await handle.signal(vmSignals.renew);
    await newRun(handle);
    await until(() => vm.looks.length === 3);
    expect((await handle.describe()).memo).toEqual({ VmName: 'vm', name: 'vm', status: 'degraded' });
    expect(await details(handle)).toBe('**vm** degraded');
    await retire(handle);
  });
});
