import { randomUUID } from 'node:crypto';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Activities, HealDecision, LookInput, LookNews } from '../../activities/contract.ts';
import { CORE_TASK_QUEUE, healWorkflowId, vmWorkflowId } from '../../domain/ids.ts';
import { until } from '../../local/until.ts';
import { vmSignals, WORKFLOW } from '../../workflows/messages.ts';
import { type OwnTemporal, startOwnTemporal, startWorkersOn } from '../support/real-world.ts';
import { describeNeeding } from '../support/requirements.ts';
import { health, NOT_ASKED, steady, VM_RUNS } from '../support/scripted-activities.ts';

const ACT: HealDecision = {
  kind: 'act',
  operationId: 'op/1',
  action: 'restart',
  verifyMs: 0,
  line: 'acts: restart',
  site: 'main',
};
const CLOSE: HealDecision = { kind: 'close', reason: 'recovered', line: 'over (recovered)' };

let onLook: (input: LookInput) => LookNews | Promise<LookNews>;
/** Those whose heal has acted. */
const acted = new Set<string>();

const activities: Activities = {
  ...NOT_ASKED,
  ...VM_RUNS,
  watch: async (input) => onLook(input),
  storePause: async () => undefined,
  openIncident: async () => ({ incident: 1 }),
  async decide({ vmId }) {
    if (acted.has(vmId)) return CLOSE;
    acted.add(vmId);
    return ACT;
  },
  carryOut: async () => ({ state: 'sent', detail: 'the connection was lost' }),
  readBack: async () => ({ verdict: 'acted', detail: 'running' }),
  resolveOperation: async () => ({ state: 'done', detail: 'running' }),
  verify: async () => ({ settled: true, line: 'helped' }),
  callProvider: async ({ call, kind }) => ({ ok: true, detail: `${call} of ${kind}` }),
  applyRetention: async () => ({ line: 'dropped 3 days' }),
  reconcile: async () => ({ line: 'announced 1', mended: 1 }),
};

describeNeeding(['temporal'], 'what workflows ask the server for', () => {
  let temporal: OwnTemporal;
  let client: Client;
  let stopWorkers: () => Promise<void>;

  beforeAll(async () => {
    temporal = await startOwnTemporal();
    client = temporal.client;
    stopWorkers = await startWorkersOn(temporal, activities);
  }, 60_000);

  afterAll(async () => {
    await stopWorkers?.();
    await temporal?.stop();
  });

  beforeEach(() => {
    onLook = () => steady('1 hour');
  });

  const start = (type: string, workflowId: string, ...args: unknown[]) =>
    client.workflow.start(type, { workflowId, taskQueue: CORE_TASK_QUEUE, args });

  /** In seconds; undefined where there is no limit. */
  const seconds = (duration: { seconds?: unknown } | null | undefined) => Number(duration?.seconds ?? 0) || undefined;

  /** Each activity that it has scheduled, the last one of its type, with the limits it was given. */
  async function scheduled(handle: WorkflowHandle): Promise<Record<string, object>> {
    const { events } = await handle.fetchHistory();
    const orders = (events ?? []).flatMap(({ activityTaskScheduledEventAttributes: order }) => (order ? [order] : []));
    return Object.fromEntries(
      orders.map((order) => [
        order.activityType?.name,
        {
          queue: order.taskQueue?.name,
          takenWithin: order.scheduleToStartTimeout && seconds(order.scheduleToStartTimeout),
          attemptWithin: seconds(order.startToCloseTimeout),
          allWithin: seconds(order.scheduleToCloseTimeout),
          attempts: order.retryPolicy?.maximumAttempts || undefined,
          firstRetryAfter: seconds(order.retryPolicy?.initialInterval),
          retryAtLeastEvery: seconds(order.retryPolicy?.maximumInterval),
          backoff: order.retryPolicy?.backoffCoefficient,
          priority: order.priority?.priorityKey,
          of: order.priority?.fairnessKey || undefined,
        },
      ]),
    );
  }

  it('are looks at a VM by its site, an ill one’s before those of others, each soon after one that was lost', async () => {
    const vmId = randomUUID();
    onLook = ({ deliveredSeq }) => (deliveredSeq === 0 ? health(1, 'healthy') : steady('1 hour'));
    const handle = await start(WORKFLOW.vmHealth, vmWorkflowId(vmId), { vmId, tenantId: 'acme', site: 'main' });
    const look = async () => {
      const [pending] = (await handle.describe()).raw.pendingActivities ?? [];
      return pending?.activityId;
    };
    await until(async () => (await look()) === 'watch');
    const usual = { queue: 'defib-main', attemptWithin: 20, firstRetryAfter: 1, backoff: 1, of: 'acme' };
    await until(async () => (await scheduled(handle))['watch'] !== undefined);
    await until(async () => JSON.stringify((await scheduled(handle))['watch']).includes('"priority":3'));
    expect((await scheduled(handle))['watch']).toMatchObject({ ...usual, priority: 3 });
    onLook = ({ deliveredSeq }) => (deliveredSeq === 1 ? health(2, 'unhealthy') : steady('1 hour'));
    await handle.signal(vmSignals.lookNow);
    await until(async () => JSON.stringify((await scheduled(handle))['watch']).includes('"priority":2'));
    expect((await scheduled(handle))['watch']).toMatchObject({ ...usual, priority: 2 });
    await handle.signal(vmSignals.pause, { reason: 'rack move' });
    await until(async () => (await scheduled(handle))['storePause'] !== undefined);
    expect((await scheduled(handle))['storePause']).toMatchObject({ attemptWithin: 10, allWithin: 30 });
    await handle.signal(vmSignals.retire);
    await handle.result();
  });

  it('are incidents for a while, and a heal of its own that outlives the VM’s workflow', async () => {
    const vmId = randomUUID();
    onLook = ({ deliveredSeq }) => (deliveredSeq === 0 ? health(1, 'unhealthy', true) : steady('1 hour'));
    const handle = await start(WORKFLOW.vmHealth, vmWorkflowId(vmId), { vmId, tenantId: 'acme', site: 'main' });
    const events = async () => (await handle.fetchHistory()).events ?? [];
    await until(async () => (await events()).some((event) => event.childWorkflowExecutionStartedEventAttributes));
    expect((await scheduled(handle))['openIncident']).toMatchObject({ attemptWithin: 10, allWithin: 30 });
    const heal = (await events()).find((event) => event.startChildWorkflowExecutionInitiatedEventAttributes);
    expect(heal?.startChildWorkflowExecutionInitiatedEventAttributes).toMatchObject({
      workflowId: healWorkflowId(vmId, 1),
      // abandon: it closes its incident by itself
      parentClosePolicy: 2,
      priority: { priorityKey: 1, fairnessKey: 'acme' },
    });
    await handle.terminate();
  });

  it('are the steps of a heal before all looks: what is recorded until it is, what is sent once, and soon or not at all', async () => {
    const vmId = randomUUID();
    const handle = await start(WORKFLOW.healVm, healWorkflowId(vmId, 1), {
      vmId,
      tenantId: 'acme',
      site: 'main',
      incident: 1,
    });
    await handle.result();
    const recorded = {
      queue: CORE_TASK_QUEUE,
      attemptWithin: 30,
      allWithin: undefined,
      attempts: undefined,
      retryAtLeastEvery: 10,
      priority: 1,
    };
    const once = { queue: 'defib-main', takenWithin: 10, attemptWithin: 20, attempts: 1, priority: 1 };
    expect(await scheduled(handle)).toMatchObject({
      askProvider: once,
      decide: recorded,
      carryOut: once,
      readBack: { queue: 'defib-main', attemptWithin: 15, allWithin: 40, attempts: undefined, priority: 1 },
      resolveOperation: recorded,
      verify: recorded,
    });
  });

  it('are upkeep after all else, and calls of people to providers once', async () => {
    const retain = await start(WORKFLOW.retain, `retain-${randomUUID()}`);
    expect(await retain.result()).toBe('dropped 3 days');
    const reconcile = await start(WORKFLOW.reconcile, `reconcile-${randomUUID()}`);
    expect(await reconcile.result()).toBe('announced 1');
    const upkeep = { queue: CORE_TASK_QUEUE, attemptWithin: 300, attempts: 5, retryAtLeastEvery: 60, priority: 5 };
    expect(await scheduled(retain)).toMatchObject({ applyRetention: upkeep });
    expect(await scheduled(reconcile)).toMatchObject({ reconcile: upkeep });
    const call = await start(WORKFLOW.providerCall, `call-${randomUUID()}`, {
      site: 'main',
      call: { call: 'test', kind: 'qemu' },
    });
    expect(await call.result()).toEqual({ ok: true, detail: 'test of qemu' });
    expect(await scheduled(call)).toMatchObject({
      callProvider: { queue: 'defib-main', takenWithin: 10, attemptWithin: 20, attempts: 1, priority: 1 },
    });
  });
});
