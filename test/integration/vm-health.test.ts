import { randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { LookInput, LookNews } from '../../activities/contract.ts';
import { CORE_TASK_QUEUE, healWorkflowId, vmWorkflowId } from '../../domain/ids.ts';
import { until } from '../../local/until.ts';
import type { vmHealth } from '../../workflows/index.ts';
import { type LookedNow, type VmView, vmQueries, vmSignals, vmUpdates, WORKFLOW } from '../../workflows/messages.ts';
import { type OwnTemporal, startOwnTemporal, startWorkersOn } from '../support/real-world.ts';
import { describeNeeding } from '../support/requirements.ts';
import { health, steady, watchedActivities } from '../support/scripted-activities.ts';

let onLook: (input: LookInput, count: number) => LookNews | Promise<LookNews>;
let looks: LookInput[];
let opened: number;
let onOpen: () => number | null;
let stored: (string | null)[];
let onStore: () => void;
let decided: string[];
/** Activities of other tests' workflows don't count. */
let watched: string;

describeNeeding(['temporal'], 'a VM whose look is cut short, on a real server', () => {
  let temporal: OwnTemporal;
  let stopWorkers: () => Promise<void>;

  beforeAll(async () => {
    temporal = await startOwnTemporal();
    const activities = watchedActivities({
      isWatched: (vmId) => vmId === watched,
      onLook(input) {
        looks.push(input);
        return onLook(input, looks.length);
      },
      onOpen: () => onOpen(),
      onStorePause(reason) {
        stored.push(reason);
        onStore();
      },
      onDecide: (incident) => decided.push(`decide ${incident}`),
    });
    stopWorkers = await startWorkersOn(temporal, activities);
  }, 60_000);

  afterAll(async () => {
    await stopWorkers?.();
    await temporal?.stop();
  });

  beforeEach(() => {
    looks = [];
    opened = 0;
    onOpen = () => ++opened;
    stored = [];
    onStore = () => undefined;
    decided = [];
    onLook = () => steady('1 hour');
  });

  type Handle = WorkflowHandle<typeof vmHealth>;

  async function admit(): Promise<Handle & { firstRunId: string }> {
    const vmId = randomUUID();
    watched = vmId;
    const started = await temporal.client.workflow.start<typeof vmHealth>(WORKFLOW.vmHealth, {
      workflowId: vmWorkflowId(vmId),
      taskQueue: CORE_TASK_QUEUE,
      args: [{ vmId, tenantId: 'default', site: 'main' }],
    });
    const handle = temporal.client.workflow.getHandle<typeof vmHealth>(vmWorkflowId(vmId));
    return { ...handle, firstRunId: started.firstExecutionRunId };
  }

  const view = (handle: Handle): Promise<VmView> => handle.query<VmView>(vmQueries.state);
  const runIdOf = async (handle: Handle): Promise<string> => (await handle.describe()).runId;

  async function retire(handle: Handle): Promise<void> {
    await handle.signal(vmSignals.retire);
    await handle.result();
  }

  async function admitWithRunningLook(
    end: () => LookNews,
  ): Promise<{ handle: Handle & { firstRunId: string }; release(): void }> {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    onLook = async (_input, count) => {
      if (count > 1) steady('1 hour');
      await held;
      return end();
    };
    const handle = await admit();
    await until(() => looks.length > 0);
    return { handle, release };
  }

  // the four ways in which a cancelled look ends
  it('ends a look in backoff at once and asks again', async () => {
    const handle = await admit();
    await until(() => looks.length >= 1);
    await handle.signal(vmSignals.settingsChanged, { version: 7, site: 'main', lookSooner: true });
    await until(() => looks.some((look) => look.settingsVersion === 7));
    await retire(handle);
  });

  it('lets a running look end steadily and asks again', async () => {
    const { handle, release } = await admitWithRunningLook(() => steady('1 hour'));
    await handle.signal(vmSignals.settingsChanged, { version: 7, site: 'main', lookSooner: true });
    await until(async () => (await view(handle)).settingsVersion === 7);
    release();
    await until(() => looks.some((look) => look.settingsVersion === 7));
    await retire(handle);
  });

  it('hears the result of a look that was being cancelled', async () => {
    const { handle, release } = await admitWithRunningLook(() => health(1, 'unhealthy'));
    await handle.signal(vmSignals.settingsChanged, { version: 7, site: 'main', lookSooner: true });
    await until(async () => (await view(handle)).settingsVersion === 7);
    release();
    await until(() => looks.some((look) => look.settingsVersion === 7));
    expect(looks.find((look) => look.settingsVersion === 7)?.deliveredSeq).toBe(1);
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
    await until(() => looks.some((look) => look.settingsVersion === 7));
    expect((await handle.describe()).status.name).toBe('RUNNING');
    await retire(handle);
  });

  it('continues as new with a look in backoff', async () => {
    onLook = (input) => (input.deliveredSeq === 0 ? health(1, 'degraded') : steady('1 hour'));
    const handle = await admit();
    await until(() => looks.length >= 2);
    await handle.signal(vmSignals.renew);
    await until(async () => (await runIdOf(handle)) !== handle.firstRunId);
    await until(() => looks.length === 3);
    expect(looks.at(-1)).toMatchObject({ deliveredSeq: 1 });
    await retire(handle);
  });

  it('continues as new after a running look has ended', async () => {
    const { handle, release } = await admitWithRunningLook(() => steady('1 hour'));
    await handle.signal(vmSignals.renew);
    await view(handle);
    expect(await runIdOf(handle)).toBe(handle.firstRunId);
    release();
    await until(async () => (await runIdOf(handle)) !== handle.firstRunId);
    await retire(handle);
  });

  it('carries a transition that a look returned while it was continuing as new', async () => {
    const { handle, release } = await admitWithRunningLook(() => health(1, 'unhealthy', true));
    await handle.signal(vmSignals.renew);
    await view(handle);
    release();
    await until(async () => (await runIdOf(handle)) !== handle.firstRunId);
    await until(() => looks.length >= 2);
    expect(looks.at(-1)).toMatchObject({ deliveredSeq: 1, healOpen: true });
    expect(opened).toBe(1);
    expect(await view(handle)).toMatchObject({ status: 'unhealthy', incident: 1 });
    await retire(handle);
  });

  it('opens the heal anew when it is gone', async () => {
    onLook = (input) => {
      if (input.deliveredSeq === 0) return health(1, 'unhealthy', true);
      return input.healOpen ? steady('1 hour') : health(input.deliveredSeq, 'unhealthy', true);
    };
    const handle = await admit();
    await until(() => decided.length >= 1);
    await temporal.client.workflow.getHandle(healWorkflowId(watched, 1)).terminate();
    await handle.signal(vmSignals.attemptsReset);
    await until(async () => (await view(handle)).incident === 2);
    expect(opened).toBe(2);
    await retire(handle);
  });

  it('stores a pause that is signalled, neither looks nor heals until it is resumed, and stores that', async () => {
    const handle = await admit();
    await until(() => looks.length >= 1);
    await handle.signal(vmSignals.pause, { reason: 'rack move' });
    await until(async () => (await view(handle)).paused === 'rack move');
    await until(() => stored.length === 1);
    const before = looks.length;
    await handle.signal(vmSignals.lookNow);
    await expect(handle.executeUpdate<LookedNow, []>(vmUpdates.look)).rejects.toThrow();
    const described = await handle.describe();
    expect(described.raw.pendingActivities ?? []).toEqual([]);
    expect(looks.length).toBe(before);
    await handle.signal(vmSignals.resume);
    await until(() => looks.length > before);
    expect(stored).toEqual(['rack move', null]);
    await retire(handle);
  });

  it('goes on being paused, and tries again, while its pause can not be stored', async () => {
    onStore = () => {
      throw ApplicationFailure.nonRetryable('the database is away');
    };
    const handle = await admit();
    await until(() => looks.length >= 1);
    const before = looks.length;
    await handle.signal(vmSignals.pause, { reason: 'rack move' });
    await until(() => stored.length >= 2);
    expect(looks.length).toBe(before);
    await retire(handle);
  });

  /** Scripts looks by a row that says whether the VM is paused. */
  function scriptPausedRow(): { paused: boolean } {
    const row = { paused: true };
    onLook = (input) => {
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
    expect(stored).toEqual([]);

    await handle.signal(vmSignals.settingsChanged, { version: 2, site: 'main', lookSooner: false });
    await until(() => looks.length === 2);
    expect(looks[1]).toMatchObject({ paused: true, settingsVersion: 2 });
    expect((await view(handle)).paused).toBe('moving house');

    row.paused = false;
    await handle.signal(vmSignals.settingsChanged, { version: 3, site: 'main', lookSooner: true });
    await until(async () => (await view(handle)).paused === null);
    await until(() => decided.length >= 1);
    await until(() => looks.at(-1)?.paused === false);
    await retire(handle);
  });

  it('looks whether it is still paused when it goes on as a new run', async () => {
    const row = scriptPausedRow();
    const handle = await admit();
    await until(async () => (await view(handle)).paused !== null);
    row.paused = false;
    await handle.signal(vmSignals.renew);
    await until(async () => (await runIdOf(handle)) !== handle.firstRunId);
    await until(async () => (await view(handle)).paused === null);
    await retire(handle);
  });

  it('stores a pause that a run of 0.1 carries', async () => {
    watched = randomUUID();
    const carried = {
      toldSeq: 1,
      status: 'healthy',
      line: '',
      incident: null,
      paused: 'since 0.1',
      settingsVersion: 1,
    };
    await temporal.client.workflow.start<(input: unknown) => Promise<void>>(WORKFLOW.vmHealth, {
      workflowId: vmWorkflowId(watched),
      taskQueue: CORE_TASK_QUEUE,
      args: [{ vmId: watched, tenantId: 'default', site: 'main', carried }],
    });
    await until(() => stored.length === 1);
    expect(stored).toEqual(['since 0.1']);
    expect(looks).toEqual([]);
    await retire(temporal.client.workflow.getHandle<typeof vmHealth>(vmWorkflowId(watched)));
  });

  it('starts no heal of a VM that was paused while its look said that one is wanted', async () => {
    onLook = (input) => (input.deliveredSeq === 0 ? health(1, 'unhealthy', true) : { kind: 'paused', reason: 'x' });
    onOpen = () => null;
    const handle = await admit();
    await until(() => looks.length === 1);
    await handle.signal(vmSignals.settingsChanged, { version: 2, site: 'main', lookSooner: true });
    await until(async () => (await view(handle)).paused === 'x');
    expect(decided).toEqual([]);
    await retire(handle);
  });

  it('hears that its VM is deleted while an incident is being opened', async () => {
    onLook = (input) => health(input.deliveredSeq + 1, 'unhealthy', true);
    onOpen = () => {
      throw new Error('the database is away');
    };
    const handle = await admit();
    await until(() => looks.length === 1);
    await handle.signal(vmSignals.retire);
    await handle.result();
    expect(decided).toEqual([]);
  });

  it('goes on with older settings when the database was restored from before those it knows of', async () => {
    onLook = (input) => (input.settingsVersion > 4 ? { kind: 'settings-lost', version: 3 } : steady('1 hour'));
    const handle = await admit();
    await until(() => looks.length >= 1);
    await handle.signal(vmSignals.settingsChanged, { version: 9, site: 'main', lookSooner: true });
    await until(() => looks.at(-1)?.settingsVersion === 3);
    expect((await view(handle)).settingsVersion).toBe(3);
    await handle.signal(vmSignals.settingsChanged, { version: 4, site: 'main', lookSooner: true });
    // that look says at once that those are lost too, and the next one asks for the older ones again
    await until(() => looks.some((look) => look.settingsVersion === 4));
    await retire(handle);
  });

  it('looks by a shorter interval although its announcement comes late', async () => {
    const handle = await admit();
    await handle.signal(vmSignals.settingsChanged, { version: 9, site: 'main', lookSooner: false });
    await until(async () => (await view(handle)).settingsVersion === 9);
    const before = looks.length;
    await handle.signal(vmSignals.settingsChanged, { version: 8, site: 'elsewhere', lookSooner: true });
    await until(() => looks.length > before);
    expect(looks.at(-1)?.settingsVersion).toBe(9);
    expect((await view(handle)).site).toBe('main');
    await retire(handle);
  });

  it('answers update `look` with what was seen', async () => {
    onLook = (input) => (input.now ? health(input.deliveredSeq, 'healthy') : steady('1 hour'));
    const handle = await admit();
    await until(() => looks.length >= 1);
    expect(await handle.executeUpdate<LookedNow, []>(vmUpdates.look)).toEqual({ status: 'healthy', line: 'healthy' });
    await retire(handle);
  });

  it('answers update `look`, and can continue as new, when the VM is paused meanwhile', async () => {
    onLook = () => steady('1 hour');
    const handle = await admit();
    await until(() => looks.length >= 1);
    const answer = await handle.startUpdate<LookedNow, []>(vmUpdates.look, { waitForStage: 'ACCEPTED' });
    await until(() => looks.length >= 2);
    await handle.signal(vmSignals.pause, { reason: 'rack move' });
    expect(await answer.result()).toMatchObject({ line: 'paused' });
    await retire(handle);
  });

  it('leaves a pending look alone when settings change but nothing is due sooner', async () => {
    onLook = () => steady('50 milliseconds');
    const handle = await admit();
    await until(() => looks.length >= 1);
    const before = (await handle.describe()).historyLength;
    await handle.signal(vmSignals.settingsChanged, { version: 2, site: 'main', lookSooner: false });
    await until(() => looks.length >= 3);
    const types = (await handle.fetchHistory()).events
      ?.slice(before)
      .map((event) => event.activityTaskScheduledEventAttributes);
    expect(types?.every((attributes) => !attributes)).toBe(true);
    expect((await view(handle)).settingsVersion).toBe(2);
    await retire(handle);
  });

  it('watches closely while a remedy is verified', async () => {
    onLook = (input) => (input.deliveredSeq === 0 ? health(1, 'unhealthy', true) : steady('1 hour'));
    const handle = await admit();
    await until(() => decided.length >= 1);
    const untilMs = Date.now() + 60_000;
    await handle.signal(vmSignals.watchClosely, { incident: 1, untilMs });
    await until(() => looks.at(-1)?.watchCloselyUntilMs === untilMs);
    await handle.signal(vmSignals.healEnded, { incident: 1 });
    await until(() => looks.at(-1)?.watchCloselyUntilMs === null);
    expect(await view(handle)).toMatchObject({ incident: null });
    await retire(handle);
  });

  it('tells its heal when attempts are reset', async () => {
    onLook = (input) => (input.deliveredSeq === 0 ? health(1, 'unhealthy', true) : steady('1 hour'));
    const handle = await admit();
    await until(() => decided.length === 1);
    await handle.signal(vmSignals.attemptsReset);
    await until(() => decided.length === 2);
    await retire(handle);
  });
});
