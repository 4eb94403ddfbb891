import { expect, it } from 'vitest';
import { until } from '../../local/until.ts';
import { vmSignals } from '../../workflows/messages.ts';
import { describeNeeding } from '../support/requirements.ts';
import { health, steady } from '../support/scripted-activities.ts';
import { useScriptedVm } from './scripted-vm.ts';

describeNeeding(['temporal'], 'a pause of an ill VM', () => {
  const { vm, admit, admitWithRunningLook, view, retire } = useScriptedVm();

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
});
