/* One file, however long: all of it plays heals against one script of activities, on one server of virtual time. */

import { randomUUID } from 'node:crypto';
import { CompleteAsyncError } from '@temporalio/activity';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import { msNumberToTs } from '@temporalio/common/lib/time.js';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import {
  type Activities,
  type HealActivities,
  type HealDecision,
  type LookInput,
  type OperationEnd,
} from '../../activities/contract.ts';
import { STEADY } from '../../activities/steady.ts';
import { CORE_TASK_QUEUE, healWorkflowId, vmWorkflowId } from '../../domain/ids.ts';
import { createCircuit } from '../../temporal/circuit.ts';
import { createTemporalPort } from '../../temporal/temporal-port.ts';
import { createVmSignals } from '../../temporal/vm-signals.ts';
import type { healVm, vmHealth } from '../../workflows/index.ts';
import { type HealInput, type HealNews, healSignals, WORKFLOW } from '../../workflows/messages.ts';
import { describeNeeding } from '../support/requirements.ts';
import { startVirtualWorld, type VirtualWorld } from '../support/virtual-world.ts';

type Handle = WorkflowHandle<typeof healVm>;
type Verified = Awaited<ReturnType<HealActivities['verify']>>;

const ACT: HealDecision = { kind: 'act', operationId: 'op/1', action: 'restart', verifyMs: 60_000, line: 'acts' };
const CLOSE: HealDecision = { kind: 'close', reason: 'recovered', line: 'over (recovered)' };
const holdFor = (lookAgainInMs: number): HealDecision => ({
  kind: 'hold',
  reason: 'cooldown',
  lookAgainInMs,
  line: 'holds',
});
const IN_DOUBT = ['decide', 'carry out op/1', 'read back op/1', 'resolve op/1 by not-acted'];
const MINUTE = 60_000;
const RUNNING = { answered: true, power: 'running', detail: 'running' } as const;

/** Activities of other tests' heals don't count. */
let vmId: string;
/** What the heal asked for, in order. */
let asked: string[];
let onDecide: (count: number) => HealDecision | Promise<HealDecision>;
let onCarryOut: () => OperationEnd;
let onVerify: (windowOver: boolean, count: number) => Verified;
let looks: LookInput[];

const count = (what: string) => asked.filter((one) => one === what).length;

const activities: Activities = {
  async watch(input) {
    if (input.vmId !== vmId) return { kind: 'gone', deleted: true };
    looks.push(input);
    if (looks.length > 1) {
      throw ApplicationFailure.create({ type: STEADY, message: 'unhealthy', nextRetryDelay: '5 seconds' });
    }
    const vm = { name: 'vm', tenantId: 'default', provider: 'none' as const, host: null };
    return { kind: 'health', seq: 1, status: 'unhealthy', line: 'unhealthy', healWanted: true, vm };
  },
  storePause: async () => undefined,
  openIncident: async () => ({ incident: 1 }),
  askProvider: async () => ({ site: 'main', fact: RUNNING }),
  callProvider: async () => ({ ok: true, detail: '' }),
  async decide(key) {
    if (key.vmId !== vmId) return CLOSE;
    asked.push('decide');
    return onDecide(count('decide'));
  },
  async carryOut({ operationId }) {
    asked.push(`carry out ${operationId}`);
    return onCarryOut();
  },
  async readBack({ operationId }) {
    asked.push(`read back ${operationId}`);
    return { verdict: 'not-acted', detail: 'running' };
  },
  async resolveOperation({ operationId, end, readBack }) {
    asked.push(`resolve ${operationId} by ${end?.detail ?? readBack?.verdict}`);
    return { state: 'done', detail: 'perhaps sent' };
  },
  async verify({ windowOver }) {
    asked.push(windowOver ? 'verify at the end' : 'verify');
    return onVerify(windowOver, count('verify'));
  },
  applyRetention: async () => ({ line: '' }),
  reconcile: async () => ({ line: '', mended: 0 }),
};

function forget(): void {
  vmId = randomUUID();
  asked = [];
  looks = [];
  onDecide = (times) => (times === 1 ? ACT : CLOSE);
  onCarryOut = () => ({ state: 'done', detail: 'confirmed' });
  onVerify = () => ({ settled: true, helped: true, line: 'helped' });
}

function startHeal(client: Client, more: Partial<HealInput> = {}): Promise<Handle> {
  return client.workflow.start<typeof healVm>(WORKFLOW.healVm, {
    workflowId: healWorkflowId(vmId, 1),
    taskQueue: CORE_TASK_QUEUE,
    args: [{ vmId, tenantId: 'default', site: 'main', incident: 1, ...more }],
  });
}

const tell = (handle: Handle, what: HealNews['what']) => handle.signal(healSignals.news, { what });

describeNeeding(['virtual-time'], 'a heal', () => {
  let world: VirtualWorld;
  let handle: Handle;

  beforeAll(async () => {
    world = await startVirtualWorld(() => activities);
  }, 120_000);

  afterAll(() => world?.stop());

  beforeEach(forget);

  // terminated in the middle of an activity, a heal would leave the server's clock locked
  afterEach(async () => {
    onDecide = () => CLOSE;
    onVerify = () => ({ settled: true, line: '' });
    await tell(handle, 'retired').catch(() => undefined);
    await handle.result().catch(() => undefined);
  });

  const heal = async (more: Partial<HealInput> = {}) => {
    handle = await startHeal(world.env.client, more);
    return handle;
  };

  const sleep = (ms: number) => world.env.sleep(ms);

  /** Lets virtual time pass until it is so; answers how long it took. */
  async function until(so: () => boolean): Promise<number> {
    const fromMs = await world.env.currentTimeMs();
    await world.until(so, 5_000);
    return (await world.env.currentTimeMs()) - fromMs;
  }

  it('decides, acts, sees that it helped, and is over', async () => {
    await heal();
    expect(await handle.result()).toMatch(/^recovered \d+ s after restart$/);
    expect(asked).toEqual(['decide', 'carry out op/1', 'verify', 'decide']);
  });

  it('says what helped and how long it took', async () => {
    onDecide = (times) => (times === 1 ? { ...ACT, power: 'reset', attempt: 1 } : CLOSE);
    onVerify = (_windowOver, times) => {
      if (times === 1) return { settled: false, lookAgainInMs: 38_000, line: 'waits' };
      return { settled: true, helped: true, line: 'helped' };
    };
    await heal();
    expect(await handle.result()).toBe('recovered 38 s after reset (attempt 1)');
  });

  it('says when its VM recovered by itself, and when a remedy was late', async () => {
    onDecide = (times) => (times === 1 ? holdFor(2 * MINUTE) : CLOSE);
    await heal();
    expect(await handle.result()).toBe('recovered by itself, 2 min after this heal began');

    forget();
    onDecide = (times) => [{ ...ACT, power: 'reset', attempt: 2 }, holdFor(2 * MINUTE)][times - 1] ?? CLOSE;
    onVerify = () => ({ settled: false, line: 'waits' });
    await heal();
    expect(await handle.result()).toBe('recovered 3 min after reset (attempt 2), which had not helped in its time');
  });

  it('credits no recovery to people having been notified', async () => {
    onDecide = (times) => (times === 1 ? { ...ACT, action: 'notify', power: null, attempt: 1, verifyMs: 0 } : CLOSE);
    await heal();
    expect(await handle.result()).toMatch(/^recovered by itself, \d+ s after this heal began$/);
  });

  it('credits no recovery to a remedy that was not sent', async () => {
    onDecide = (times) => (times === 1 ? { ...ACT, power: 'reset', attempt: 1 } : CLOSE);
    onCarryOut = () => ({ state: 'abandoned', detail: 'refused' });
    await heal();
    expect(await handle.result()).toMatch(/^recovered by itself, /);
  });

  it('blames no remedy whose window ended in a pause', async () => {
    onDecide = (times) => (times === 1 ? { ...ACT, power: 'reset', attempt: 1 } : CLOSE);
    onVerify = (windowOver, times) => {
      if (windowOver) return { settled: false, paused: true, line: 'paused' };
      return { settled: times === 2, line: 'waits' };
    };
    await heal();
    expect(await handle.result()).toMatch(/^recovered \d+ min after reset \(attempt 1\)$/);
  });

  it('holds for as long as the decision says', async () => {
    onDecide = (times) => (times === 1 ? holdFor(2 * MINUTE) : CLOSE);
    await heal();
    await until(() => count('decide') === 1);
    await sleep(2 * MINUTE - 10_000);
    expect(count('decide')).toBe(1);
    expect(await until(() => count('decide') === 2)).toBeLessThan(30_000);
  });

  it('decides at once when there is news', async () => {
    onDecide = (times) => (times === 1 ? holdFor(4 * MINUTE) : CLOSE);
    await heal();
    await until(() => count('decide') === 1);
    await tell(handle, 'health');
    expect(await until(() => count('decide') === 2)).toBeLessThan(MINUTE);
  });

  it('sees for itself every five minutes, however long it is to hold', async () => {
    onDecide = (times) => (times === 1 ? holdFor(24 * 60 * MINUTE) : CLOSE);
    await heal();
    await until(() => count('decide') === 1);
    expect(await until(() => count('decide') === 2)).toBeLessThan(6 * MINUTE);
  });

  it.each([
    ['by a fault of its code, is found stuck after a minute', undefined, true],
    ['because the database is away, is not: that is told elsewhere', ApplicationFailureCategory.BENIGN, false],
  ])('whose decision fails again and again %s', async (_what, category, isStuck) => {
    onDecide = () => {
      throw ApplicationFailure.create({ message: 'no decision', category });
    };
    await heal();
    const { client } = world.env;
    const port = createTemporalPort(client, createVmSignals(client, createCircuit(client)));
    const fails = async () => (await port.inspect([handle.workflowId]))[0]?.failsTasks;
    await until(() => count('decide') === 5);
    expect(await fails()).toBe(false);
    await until(() => count('decide') === 12);
    expect(await fails()).toBe(isStuck);
  });

  it('resolves what is in doubt, and sends nothing again', async () => {
    onCarryOut = () => ({ state: 'sent', detail: 'connection lost' });
    await heal();
    await handle.result();
    expect(asked).toEqual([...IN_DOUBT, 'verify', 'decide']);
  });

  it('has recorded what its sender knows and could not record', async () => {
    onCarryOut = () => ({ state: 'abandoned', detail: 'the database went away', unrecorded: true });
    await heal();
    await handle.result();
    const recorded = 'resolve op/1 by the database went away';
    expect(asked).toEqual(['decide', 'carry out op/1', recorded, 'verify', 'decide']);
  });

  it('sends nothing again when sending failed', async () => {
    onCarryOut = () => {
      throw new Error('the database went away');
    };
    await heal();
    await handle.result();
    expect(asked).toEqual([...IN_DOUBT, 'verify', 'decide']);
  });

  it('sends nothing again when whoever sent never answers', async () => {
    onCarryOut = () => {
      // the clock is locked while an activity runs; nobody runs this one, and its last five seconds are real
      void world.env.connection.testService?.unlockTimeSkippingWithSleep({ duration: msNumberToTs(15_000) });
      throw new CompleteAsyncError();
    };
    await heal();
    await until(() => count('decide') === 2);
    expect(asked).toEqual([...IN_DOUBT, 'verify', 'decide']);
  });

  it('waits for health until its window is over', async () => {
    onVerify = () => ({ settled: false, line: 'waits' });
    await heal();
    await until(() => count('verify') === 1);
    expect(await until(() => count('decide') === 2)).toBeGreaterThan(50_000);
    expect(asked).toEqual(['decide', 'carry out op/1', 'verify', 'verify at the end', 'decide']);
  });

  it('verifies at once when there is news of health', async () => {
    onVerify = (_, times) => ({ settled: times === 2, line: '' });
    await heal();
    await until(() => count('verify') === 1);
    await tell(handle, 'health');
    expect(await until(() => count('decide') === 2)).toBeLessThan(50_000);
    expect(count('verify at the end')).toBe(0);
  });

  it('looks again soon where no news will come', async () => {
    onVerify = (_, times) => ({ settled: times === 3, lookAgainInMs: 6_000, line: '' });
    await heal();
    await until(() => count('verify') === 1);
    expect(await until(() => count('decide') === 2)).toBeLessThan(50_000);
    expect(count('verify at the end')).toBe(0);
  });

  it('asks the database whether its VM is paused, whatever it has heard', async () => {
    await heal({ paused: true });
    await handle.result();
    expect(asked).toEqual(['decide', 'carry out op/1', 'verify', 'decide']);
  });

  it('judges no remedy by a pause, and begins its window anew after it', async () => {
    let paused = false;
    onVerify = () => ({ settled: false, ...(paused ? { paused } : {}), line: 'waits' });
    await heal();
    await until(() => count('verify') === 1);
    paused = true;
    await tell(handle, 'paused');
    await sleep(60 * MINUTE);
    expect(count('decide')).toBe(1);
    paused = false;
    const atEnd = count('verify at the end');
    await tell(handle, 'resumed');
    expect(await until(() => count('decide') === 2)).toBeGreaterThan(50_000);
    expect(count('verify at the end')).toBeGreaterThan(atEnd);
  });

  it('goes on with its window when it continues as new', async () => {
    onDecide = () => CLOSE;
    onVerify = () => ({ settled: false, line: 'waits' });
    const untilMs = (await world.env.currentTimeMs()) + 40_000;
    await heal({ verifying: { operationId: 'op/1', verifyMs: 60_000, untilMs } });
    expect(await until(() => count('decide') === 1)).toBeGreaterThan(30_000);
    expect(asked).toEqual(['verify', 'verify at the end', 'decide']);
  });

  it('lets its VM be watched closely while a remedy is verified, and says when it is over', async () => {
    onVerify = () => ({ settled: false, line: 'waits' });
    const vm = await world.env.client.workflow.start<typeof vmHealth>(WORKFLOW.vmHealth, {
      workflowId: vmWorkflowId(vmId),
      taskQueue: CORE_TASK_QUEUE,
      args: [{ vmId, tenantId: 'default', site: 'main' }],
    });
    handle = world.env.client.workflow.getHandle(healWorkflowId(vmId, 1));
    await until(() => count('decide') === 2 && looks.at(-1)?.healOpen === false);
    await vm.terminate();
    const closely = looks.filter((look) => look.watchCloselyUntilMs !== null);
    expect(closely.length).toBeGreaterThan(0);
    expect(closely.every((look) => look.healOpen)).toBe(true);
    expect(looks.at(-1)?.watchCloselyUntilMs).toBeNull();
  });
});
