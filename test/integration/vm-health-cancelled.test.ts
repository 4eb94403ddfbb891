import { expect, it } from 'vitest';
import type { Dependencies } from '../../activities/dependencies.ts';
import { storePause } from '../../activities/store-pause.ts';
import { until } from '../../local/until.ts';
import { createCircuit } from '../../temporal/circuit.ts';
import { createTemporalPort } from '../../temporal/temporal-port.ts';
import { createVmSignals } from '../../temporal/vm-signals.ts';
import { type LookedNow, vmSignals, vmUpdates } from '../../workflows/messages.ts';
import { readVm, registerVm } from '../db/watched.ts';
import { openTestDatabase } from '../support/postgres.ts';
import { describeNeeding } from '../support/requirements.ts';
import { health, steady } from '../support/scripted-activities.ts';
import { useScriptedVm, type VmHandle } from './scripted-vm.ts';

/** As `temporal workflow cancel -w vm/<id>` does, or "Request Cancellation" of the Web UI. */
describeNeeding(['temporal'], 'a VM whose workflow is cancelled', () => {
  const { vm, admit, admitWithRunningLook, view, newRun, details, retire, client } = useScriptedVm();
  const REASON = 'cancelled in Temporal';

  /** Its latest run is the second one, runs, and is not to be cancelled itself. */
  async function goesOn(handle: VmHandle & { firstRunId: string }): Promise<void> {
    await newRun(handle);
    const { status, raw } = await handle.describe();
    expect(status.name).toBe('RUNNING');
    expect(raw.workflowExtendedInfo?.cancelRequested ?? false).toBe(false);
    const first = client().workflow.getHandle(handle.workflowId, handle.firstRunId);
    expect((await first.describe()).status.name).toBe('CONTINUED_AS_NEW');
  }

  /** What `reconcile` would watch again, once lists know of the run that was cancelled. */
  async function closedVmIds({ workflowId }: VmHandle): Promise<string[]> {
    const query = `WorkflowId='${workflowId}' AND ExecutionStatus='ContinuedAsNew'`;
    await until(async () => (await client().workflow.count(query)).count === 1);
    const port = createTemporalPort(client(), createVmSignals(client(), createCircuit(client())));
    return (await port.closedVmIds(Date.now() - 60_000, 100)).filter((id) => id === vm.id);
  }

  it('is paused in the database, shown as paused, and looked at again once it is resumed', async () => {
    const { database, close } = await openTestDatabase();
    await registerVm(database, { id: vm.id, announcedVersion: 1 });
    const deps = { database, now: Date.now } as unknown as Dependencies;
    const pausedRow = async () => (await readVm(database.pool, vm.id)).paused;
    vm.onStorePause = () => storePause(deps, { vmId: vm.id, tenantId: 'default', reason: vm.stored.at(-1) ?? null });
    vm.onLook = async (input) => {
      const paused = await pausedRow();
      if (paused !== null) return { kind: 'paused', reason: paused.reason };
      return input.paused || input.now ? health(1, 'healthy') : steady('1 hour');
    };
    const handle = await admit();
    await until(() => vm.looks.length >= 1);
    await handle.cancel();
    await goesOn(handle);
    expect(await closedVmIds(handle)).toEqual([]);
    expect(await pausedRow()).toEqual({ reason: REASON, by: 'temporal (unverified)' });
    expect(await view(handle)).toMatchObject({ paused: REASON });
    expect(await details(handle)).toContain(`**paused**: ${REASON}`);
    await until(async () => (await handle.describe()).searchAttributes['VmStatus']?.[0] === 'paused');
    // its new run asks the database, which says the same
    await until(() => vm.looks.at(-1)?.paused === true);
    expect(vm.stored).toEqual([REASON]);

    await handle.signal(vmSignals.resume);
    await until(async () => (await view(handle)).status === 'healthy');
    expect(await pausedRow()).toBeNull();
    expect(await view(handle)).toMatchObject({ paused: null });
    await close();
    await retire(handle);
  });

  it('hands its heal on: it hears of the pause and stays the VM’s', async () => {
    vm.onLook = (input) => {
      if (input.deliveredSeq === 0) return health(1, 'unhealthy', true);
      return input.paused ? { kind: 'paused', reason: REASON } : steady('1 hour');
    };
    const handle = await admit();
    await until(() => vm.decided === 1);
    await handle.cancel();
    await goesOn(handle);
    await until(() => vm.decided === 2);
    expect(vm.opened).toBe(1);
    expect(await view(handle)).toMatchObject({ paused: REASON, incident: 1 });
    await retire(handle);
  });

  it('waits for the look under way, acts on what it found, and opens no heal', async () => {
    const { handle, release } = await admitWithRunningLook(() => health(1, 'unhealthy', true));
    await handle.cancel();
    await until(async () => (await view(handle)).paused === REASON);
    vm.onLook = () => ({ kind: 'paused', reason: REASON });
    release();
    await goesOn(handle);
    expect(await view(handle)).toMatchObject({ status: 'unhealthy', paused: REASON });
    expect(vm.opened).toBe(0);
    await retire(handle);
  });

  it('keeps the pause that it has', async () => {
    vm.onLook = (input) => (input.paused ? { kind: 'paused', reason: 'rack move' } : steady('1 hour'));
    const handle = await admit();
    await until(() => vm.looks.length >= 1);
    await handle.signal(vmSignals.pause, { reason: 'rack move' });
    await until(() => vm.stored.length === 1);
    await handle.cancel();
    await goesOn(handle);
    expect(vm.stored).toEqual(['rack move']);
    expect((await view(handle)).paused).toBe('rack move');
    await retire(handle);
  });

  it('is paused anew where the pause that it has may be over: it was resumed a moment ago', async () => {
    let release: () => void = () => undefined;
    const resumed = new Promise<void>((resolve) => {
      release = resolve;
    });
    vm.onLook = async (input, count) => {
      if (count === 1) return { kind: 'paused', reason: 'rack move' };
      if (count === 2) await resumed;
      return input.paused && count > 2 ? { kind: 'paused', reason: REASON } : health(1, 'healthy');
    };
    const handle = await admit();
    await until(async () => (await view(handle)).paused === 'rack move');
    await handle.signal(vmSignals.settingsChanged, { version: 1, site: 'main', lookSooner: true });
    await until(() => vm.looks.length === 2);
    await handle.cancel();
    await until(async () => (await view(handle)).paused === REASON);
    release();
    await goesOn(handle);
    await until(() => vm.looks.length >= 3);
    expect(vm.stored).toEqual([REASON]);
    expect((await view(handle)).paused).toBe(REASON);
    await retire(handle);
  });

  it('answers update `look` first', async () => {
    const handle = await admit();
    await until(() => vm.looks.length >= 1);
    const answer = await handle.startUpdate<LookedNow, []>(vmUpdates.look, { waitForStage: 'ACCEPTED' });
    await until(() => vm.looks.length >= 2);
    await handle.cancel();
    expect(await answer.result()).toMatchObject({ line: 'paused' });
    await goesOn(handle);
    await retire(handle);
  });

  it('can be cancelled again, and before it has begun', async () => {
    vm.onLook = (input) => (input.paused ? { kind: 'paused', reason: REASON } : steady('1 hour'));
    const handle = await admit();
    await handle.cancel();
    await goesOn(handle);
    const second = { ...handle, firstRunId: (await handle.describe()).runId };
    await second.cancel();
    await newRun(second);
    expect((await second.describe()).status.name).toBe('RUNNING');
    expect((await view(handle)).paused).toBe(REASON);
    await retire(handle);
  });

  it('goes on as a new run also where its pause can not be stored, and that one stores it', async () => {
    vm.onStorePause = () => {
      if (vm.stored.length < 2) throw new Error('the database is away');
    };
    vm.onLook = (input) => (input.paused ? { kind: 'paused', reason: REASON } : steady('1 hour'));
    const handle = await admit();
    await until(() => vm.looks.length >= 1);
    await handle.cancel();
    await goesOn(handle);
    await until(() => vm.stored.length >= 2);
    expect(new Set(vm.stored)).toEqual(new Set([REASON]));
    await retire(handle);
  }, 90_000);

  it('that is deleted meanwhile ends', async () => {
    const { handle, release } = await admitWithRunningLook(() => steady('1 hour'));
    await handle.cancel();
    await handle.signal(vmSignals.retire);
    release();
    await handle.result();
    expect((await handle.describe()).status.name).toBe('COMPLETED');
  });
});
