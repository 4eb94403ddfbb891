import { randomUUID } from 'node:crypto';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CORE_TASK_QUEUE, healWorkflowId } from '../../domain/ids.ts';
import type { healVm } from '../../workflows/index.ts';
import { type HealInput, type HealNews, healSignals, WORKFLOW } from '../../workflows/messages.ts';
import { type OwnTemporal, startOwnTemporal, startWorkersOn } from '../support/real-world.ts';
import { describeNeeding } from '../support/requirements.ts';
import { NOT_ASKED, VM_RUNS } from '../support/scripted-activities.ts';

const HOUR_MS = 3_600_000;

// the time-skipping server never suggests to continue as new
describeNeeding(['temporal'], 'a heal that goes on for long', () => {
  let temporal: OwnTemporal;
  let stopWorkers: () => Promise<void>;
  let decided = 0;

  beforeAll(async () => {
    temporal = await startOwnTemporal();
    stopWorkers = await startWorkersOn(temporal, {
      ...NOT_ASKED,
      ...VM_RUNS,
      async decide() {
        decided++;
        return { kind: 'hold', reason: 'cooldown', lookAgainInMs: HOUR_MS, line: 'holds' };
      },
    });
  }, 120_000);

  afterAll(async () => {
    await stopWorkers?.();
    await temporal?.stop();
  });

  it('continues as new before its history is too long', async () => {
    const vmId = randomUUID();
    const beganAtMs = Date.now() - HOUR_MS;
    const remedy = { what: 'reset', attempt: 1, carriedOutAtMs: beganAtMs, judged: null };
    const input = { vmId, tenantId: 'default', site: 'main', incident: 1, name: 'web-1', beganAtMs, remedy };
    const handle = await temporal.client.workflow.start<typeof healVm>(WORKFLOW.healVm, {
      workflowId: healWorkflowId(vmId, 1),
      taskQueue: CORE_TASK_QUEUE,
      args: [input],
    });
    const tell = (what: HealNews['what']) => handle.signal(healSignals.news, { what });
    const { runId } = await handle.describe();
    for (let sent = 0; sent < 4_100; sent += 100) {
      await Promise.all(Array.from({ length: 100 }, () => tell('health')));
    }
    const latestRun = async () => {
      await tell('health');
      return (await handle.describe()).runId;
    };
    await expect.poll(latestRun, { timeout: 60_000, interval: 500 }).not.toBe(runId);
    expect(await handle.describe()).toMatchObject({ memo: { VmName: 'web-1' } });
    expect((await handle.describe()).historyLength).toBeLessThan(4_000);
    // so that it can say at its end what helped, and how long it took
    const [started] = (await temporal.client.workflow.getHandle(handle.workflowId).fetchHistory()).events ?? [];
    const [given] = started?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
    expect(defaultPayloadConverter.fromPayload<HealInput>(given as Payload)).toEqual({ ...input, paused: false });
    const before = decided;
    await tell('health');
    await expect.poll(() => decided).toBeGreaterThan(before);
    await handle.terminate();
  }, 150_000);
});
