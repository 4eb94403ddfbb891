import { afterAll, beforeAll, expect, it } from 'vitest';
import { CORE_TASK_QUEUE, RECONCILE_WORKFLOW_ID } from '../../domain/ids.ts';
import { WORKFLOW } from '../../workflows/messages.ts';
import { describeNeeding } from '../support/requirements.ts';
import { NOT_ASKED, steady } from '../support/scripted-activities.ts';
import { startVirtualWorld, type VirtualWorld } from '../support/virtual-world.ts';

const DAY_MS = 86_400_000;

describeNeeding(['virtual-time'], 'the run that reconciles', () => {
  let world: VirtualWorld;
  let asked = 0;
  let repairs = 0;

  beforeAll(async () => {
    world = await startVirtualWorld(() => ({
      ...NOT_ASKED,
      async reconcile() {
        asked++;
        if (repairs-- > 0) return { line: 'announced 1', mended: 1 };
        return steady('1 minute');
      },
    }));
  }, 60_000);

  afterAll(() => world?.stop());

  it('continues as new once a day, and reconciles once a minute, also after a repair', async () => {
    const { client } = world.env;
    repairs = 2;
    const started = await client.workflow.start(WORKFLOW.reconcile, {
      workflowId: RECONCILE_WORKFLOW_ID,
      taskQueue: CORE_TASK_QUEUE,
    });
    const handle = client.workflow.getHandle(RECONCILE_WORKFLOW_ID);
    const beganAtMs = await world.env.currentTimeMs();
    await world.until(async () => (await handle.describe()).runId !== started.firstExecutionRunId, 3_600_000);
    const tookMs = (await world.env.currentTimeMs()) - beganAtMs;
    expect(tookMs).toBeGreaterThanOrEqual(DAY_MS);
    expect(tookMs).toBeLessThan(DAY_MS + 2 * 3_600_000);
    const minutes = tookMs / 60_000;
    expect(asked).toBeGreaterThan(minutes - 65);
    expect(asked).toBeLessThan(minutes + 5);
    const first = client.workflow.getHandle(RECONCILE_WORKFLOW_ID, started.firstExecutionRunId);
    expect((await first.describe()).historyLength).toBeLessThan(60);
    const { currentDetails } = await handle.query<{ currentDetails: string }>('__temporal_workflow_metadata');
    expect(currentDetails).toBe('nothing was repaired yet by this run');
    await handle.terminate();
  }, 120_000);
});
