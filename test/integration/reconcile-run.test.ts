import { ScheduleNotFoundError, ScheduleOverlapPolicy, type WorkflowHandle } from '@temporalio/client';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { CORE_TASK_QUEUE, RECONCILE_WORKFLOW_ID } from '../../domain/ids.ts';
import { until } from '../../local/until.ts';
import { type Circuit, createCircuit } from '../../temporal/circuit.ts';
import { keepReconciling } from '../../temporal/reconcile-run.ts';
import { WORKFLOW } from '../../workflows/messages.ts';
import { type OwnTemporal, startOwnTemporal, startWorkersOn } from '../support/real-world.ts';
import { describeNeeding } from '../support/requirements.ts';
import { NOT_ASKED, steady } from '../support/scripted-activities.ts';

const QUIET = 'announced 0, watched 0, heals 0, retired 0, stuck 0';

describeNeeding(['temporal'], 'the run that reconciles', () => {
  let temporal: OwnTemporal;
  let stopWorkers: () => Promise<void>;
  let circuit: Circuit;
  let handle: WorkflowHandle;
  const ends: (() => Promise<void>)[] = [];
  const reported: unknown[] = [];
  /** How the activity was asked for, each time. */
  let asked: unknown[];
  let onReconcile: () => { line: string; mended: number };

  beforeAll(async () => {
    temporal = await startOwnTemporal();
    circuit = createCircuit(temporal.client);
    handle = temporal.client.workflow.getHandle(RECONCILE_WORKFLOW_ID);
    stopWorkers = await startWorkersOn(temporal, {
      ...NOT_ASKED,
      async reconcile(input) {
        asked.push(input);
        return input === undefined ? { line: QUIET, mended: 0 } : onReconcile();
      },
    });
  }, 60_000);

  afterAll(async () => {
    await circuit?.close();
    await stopWorkers?.();
    await temporal?.stop();
  });

  beforeEach(() => {
    asked = [];
    onReconcile = () => steady(50);
  });

  afterEach(async () => {
    for (const end of ends.splice(0)) await end();
    await handle.terminate().catch(() => undefined);
    expect(reported).toEqual([]);
  });

  /** As a worker does, but more often. */
  async function keep(everyMs = 50): Promise<void> {
    ends.push(await keepReconciling(temporal.client, circuit, (error) => reported.push(error), everyMs));
  }

  const runIdOf = async () => (await handle.describe()).runId;
  const isRunning = async () => (await handle.describe()).status.name === 'RUNNING';

  it('replaces the schedule of 0.1, which started a workflow a minute', async () => {
    await temporal.client.schedule.create({
      scheduleId: 'reconcile',
      spec: { intervals: [{ every: '1 minute' }] },
      policies: { overlap: ScheduleOverlapPolicy.SKIP },
      action: {
        type: 'startWorkflow',
        workflowType: WORKFLOW.reconcile,
        taskQueue: CORE_TASK_QUEUE,
        workflowId: 'reconcile',
      },
    });
    await keep();
    await expect(temporal.client.schedule.getHandle('reconcile').describe()).rejects.toThrow(ScheduleNotFoundError);
    expect(await isRunning()).toBe(true);
  });

  it('is one, however many workers ask for it, and writes no history while there is nothing to repair', async () => {
    await keep();
    await keep();
    await until(() => asked.length >= 3);
    const { runId, historyLength } = await handle.describe();
    await until(() => asked.length >= 20);
    expect(await handle.describe()).toMatchObject({ runId, historyLength });
    expect(new Set(asked.map((input) => JSON.stringify(input)))).toEqual(new Set(['{"everyMs":60000}']));
    const [pending, ...more] = (await handle.describe()).raw.pendingActivities ?? [];
    expect(more).toEqual([]);
    // what the last time found, for people; and nobody takes it for stuck
    expect(pending).toMatchObject({ activityId: 'reconcile', lastFailure: { message: 'healthy · http 200 1 ms' } });
  });

  it('is started again after a person has terminated or cancelled it', async () => {
    await keep();
    await until(() => asked.length >= 1);
    for (const end of [() => handle.terminate('by mistake'), () => handle.cancel()]) {
      const before = await runIdOf();
      await end();
      await until(async () => (await runIdOf()) !== before && (await isRunning()));
      const times = asked.length;
      await until(() => asked.length > times);
    }
  });

  it('goes on after a time that failed', async () => {
    onReconcile = () => {
      if (asked.length > 1) return steady('1 hour');
      throw new Error('a row that is wrong');
    };
    await keep();
    await until(() => asked.length === 2);
    expect(await isRunning()).toBe(true);
  });

  it('keeps what it has repaired in its history, and shows it', async () => {
    const line = 'announced 1, watched 0, heals 0, retired 0, stuck 0';
    onReconcile = () => ({ line, mended: 1 });
    await keep();
    const results = async () =>
      (await handle.fetchHistory()).events?.filter((event) => event.activityTaskCompletedEventAttributes) ?? [];
    await until(async () => (await results()).length === 1);
    expect(asked).toHaveLength(1);
    const { currentDetails } = await handle.query<{ currentDetails: string }>('__temporal_workflow_metadata');
    expect(currentDetails).toMatch(/^\d{4}-\d\d-\d\dT.*Z: announced 1, watched 0/);
    const events = (await handle.fetchHistory()).events ?? [];
    // when its worker is lost, another one takes over after this time
    const [asking] = events.flatMap(({ activityTaskScheduledEventAttributes: scheduled }) => scheduled ?? []);
    expect(Number(asking?.heartbeatTimeout?.seconds)).toBe(30);
    // it waits a minute before it asks again
    const timers = events.flatMap(({ timerStartedEventAttributes: timer }) => (timer ? [timer] : []));
    expect(Number(timers.at(-1)?.startToFireTimeout?.seconds)).toBe(60);
  });

  it('is another than one that a person starts by another id: that one reconciles once', async () => {
    await keep();
    const once = { workflowId: 'reconcile-now', taskQueue: CORE_TASK_QUEUE };
    expect(await temporal.client.workflow.execute(WORKFLOW.reconcile, once)).toBe(QUIET);
    expect(await isRunning()).toBe(true);
  });
});
