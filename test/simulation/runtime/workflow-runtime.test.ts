import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { CORE_TASK_QUEUE, vmWorkflowId } from '../../../domain/ids.ts';
import { vmSignals, WORKFLOW } from '../../../workflows/messages.ts';
import { steady } from '../../support/scripted-activities.ts';
import type { Act } from './activity-run.ts';
import { VirtualClock } from './virtual-clock.ts';
import { WorkflowRuntime } from './workflow-runtime.ts';

vi.mock('@temporalio/workflow', async (real) => ({
  ...(await real<object>()),
  ...(await import('./workflow-api.ts')),
}));

/** What can't be compared with a real server in a moment, or leaves a workflow there that stands still for ever. */

const VM_ID = '57000000-0000-4000-8000-000000000000';
const MINUTE_MS = 60_000;

let clock: VirtualClock;
let runtime: WorkflowRuntime;
let looks: unknown[];

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }));
afterEach(() => void vi.useRealTimers());

const quiet: Act = async () => steady('1 hour');

/** Watches a VM whose looks are these. */
async function begin(watch: Act = quiet): Promise<void> {
  looks = [];
  const act: Act = (input) => {
    looks.push(input);
    return watch(input);
  };
  clock = new VirtualClock(Date.UTC(2026, 0, 1), (nowMs) => vi.setSystemTime(nowMs));
  runtime = new WorkflowRuntime(clock, () => act, 150);
  await runtime.client.workflow.start(WORKFLOW.vmHealth, {
    workflowId: vmWorkflowId(VM_ID),
    taskQueue: CORE_TASK_QUEUE,
    args: [{ vmId: VM_ID, tenantId: 'default', site: 'main' }],
  });
  await pass(1_000);
}

const pass = (ms: number) => clock.advanceTo(clock.nowMs + ms);
const signal = (name: string, ...args: unknown[]) =>
  runtime.client.workflow.getHandle(vmWorkflowId(VM_ID)).signal(name, ...args);

it('tells of a handler that throws, and not its sender', async () => {
  await begin();
  await signal(vmSignals.settingsChanged.name);
  expect(runtime.failures).toEqual([expect.stringContaining('TypeError')]);
});

it('leaves a workflow standing whose task failed', async () => {
  await begin();
  await signal(vmSignals.settingsChanged.name);
  await signal(vmSignals.lookNow.name);
  await pass(MINUTE_MS);
  expect(looks).toHaveLength(1);
  expect(await runtime.client.workflow.getHandle(vmWorkflowId(VM_ID)).describe()).toMatchObject({
    status: { name: 'RUNNING' },
  });
});

it('begins nothing while workers are out of reach', async () => {
  await begin();
  runtime.isReached = false;
  await signal(vmSignals.lookNow.name);
  await pass(MINUTE_MS);
  expect(looks).toHaveLength(1);
  runtime.isReached = true;
  await pass(0);
  expect(looks).toHaveLength(2);
});

it('brings an answer when workers are in reach again, unless it is too late', async () => {
  await begin(async () => {
    runtime.isReached = false;
    return steady(1_000);
  });
  await pass(10_000);
  expect(looks).toHaveLength(1);
  runtime.isReached = true;
  await pass(1_500);
  expect(looks).toHaveLength(2);
  // by then the attempt has timed out, and another one waits
  await pass(MINUTE_MS);
  runtime.isReached = true;
  await pass(500);
  expect(looks).toHaveLength(3);
});

it.each(Array.from({ length: 60 }, (_, turns) => turns))(
  'keeps a signal that arrives %i turns after the look by whose end a workflow continues as new',
  async (turns) => {
    let end: () => void = () => undefined;
    const isOver = new Promise<void>((resolve) => {
      end = resolve;
    });
    const begun = begin(async () => {
      if (looks.length === 1) await isOver;
      return steady('1 hour');
    });
    await signal(vmSignals.renew.name);
    await new Promise((resolve) => setTimeout(resolve, 5));
    end();
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    await signal(vmSignals.lookNow.name);
    await begun;
    await pass(1_000);
    expect(looks.at(-1)).toMatchObject({ now: true });
  },
);
