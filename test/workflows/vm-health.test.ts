import { randomUUID } from 'node:crypto';
import { Context } from '@temporalio/activity';
import type { WorkflowHandleWithFirstExecutionRunId } from '@temporalio/client';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { LookInput, LookNews } from '../../activities/contract.ts';
import { CORE_TASK_QUEUE, vmWorkflowId } from '../../domain/ids.ts';
import type { vmHealth } from '../../workflows/index.ts';
import { type VmView, vmQueries, vmSignals, WORKFLOW } from '../../workflows/messages.ts';
import { describeNeeding } from '../support/requirements.ts';
import { health, steady, watchedActivities } from '../support/scripted-activities.ts';
import { startVirtualWorld, type VirtualWorld } from '../support/virtual-world.ts';

/** What the world would answer: set by each test. */
let onLook: (input: LookInput, count: number) => LookNews | Promise<LookNews>;
let looks: LookInput[];
let opened: number;
let decided: string[];
/** Activities of other tests' workflows don't count. */
let watched: string;

describeNeeding(['virtual-time'], 'a VM in care', () => {
  let world: VirtualWorld;

  // a server each, see docs/design-notes.md
  beforeEach(async () => {
    const activities = watchedActivities({
      isWatched: (vmId) => vmId === watched,
      onLook(input) {
        looks.push(input);
        return onLook(input, looks.length);
      },
      onOpen: () => ++opened,
      onDecide: (incident) => decided.push(`decide ${incident}`),
    });
    world = await startVirtualWorld(() => activities);
  }, 60_000);

  afterEach(() => world?.stop());

  beforeEach(() => {
    looks = [];
    opened = 0;
    decided = [];
    onLook = () => steady('1 minute');
  });

  type Handle = WorkflowHandleWithFirstExecutionRunId<typeof vmHealth>;

  function admit(): Promise<Handle> {
    const vmId = randomUUID();
    watched = vmId;
    return world.env.client.workflow.start<typeof vmHealth>(WORKFLOW.vmHealth, {
      workflowId: vmWorkflowId(vmId),
      taskQueue: CORE_TASK_QUEUE,
      args: [{ vmId, tenantId: 'default', site: 'main' }],
    });
  }

  const view = (handle: Handle): Promise<VmView> => handle.query<VmView>(vmQueries.state);

  async function historyLength(handle: Handle): Promise<number> {
    return (await handle.describe()).historyLength;
  }

  async function retire(handle: Handle): Promise<void> {
    await handle.signal(vmSignals.retire);
    await handle.result();
  }

  /** Lets virtual time pass until it is so. */
  const until = (what: () => boolean | Promise<boolean>) => world.until(what, 1_000);

  it('adds no history event in 1,000 quiet looks', async () => {
    const handle = await admit();
    await until(() => looks.length >= 2);
    const before = await historyLength(handle);
    await until(async () => {
      await world.env.sleep('1 hour');
      return looks.length >= 1_002;
    });
    expect(await historyLength(handle)).toBe(before);
    await retire(handle);
  }, 120_000);

  it('tells the news of a look once, and shows it', async () => {
    onLook = (input) => (input.deliveredSeq === 0 ? health(1, 'degraded') : steady('1 minute'));
    const handle = await admit();
    await until(() => looks.length >= 3);
    expect(looks.map((look) => look.deliveredSeq)).toEqual([0, 1, 1]);
    expect(await view(handle)).toMatchObject({ status: 'degraded', incident: null });
    await retire(handle);
  });

  it('opens one heal for a VM that a policy wants healed', async () => {
    onLook = (input) => (input.deliveredSeq === 0 ? health(1, 'unhealthy', true) : steady('1 minute'));
    const handle = await admit();
    await until(() => decided.length >= 1 && looks.length >= 2);
    expect(opened).toBe(1);
    expect(looks[1]).toMatchObject({ deliveredSeq: 1, healOpen: true });
    await retire(handle);
  });

  it('says which heal has it in care, until that has ended', async () => {
    onLook = (input) => (input.deliveredSeq === 0 ? health(1, 'unhealthy', true) : steady('1 minute'));
    const handle = await admit();
    const details = async () =>
      (await handle.query<{ currentDetails: string }>('__temporal_workflow_metadata')).currentDetails;
    await until(() => decided.length >= 1 && looks.length >= 2);
    expect(await details()).toBe(`**vm** unhealthy\n\nhealed by \`heal/${watched}/1\``);
    const before = looks.length;
    await handle.signal(vmSignals.healEnded, { incident: 1 });
    await until(() => looks.length > before);
    expect(await details()).toBe('**vm** unhealthy');
    await retire(handle);
  });

  it('ends with its VM, and its heal hears of it', async () => {
    onLook = (input) => (input.deliveredSeq === 0 ? health(1, 'unhealthy', true) : steady('1 minute'));
    const handle = await admit();
    await until(() => decided.length >= 1);
    await retire(handle);
    await until(() => decided.length >= 2);
    expect(decided).toEqual(['decide 1', 'decide 1']);
  });

  it('waits two minutes before it believes that there is no such VM', async () => {
    onLook = (_input, count) => (count === 1 ? { kind: 'gone', deleted: false } : steady('1 minute'));
    const handle = await admit();
    await until(() => looks.length >= 2);
    expect((await handle.describe()).status.name).toBe('RUNNING');
    onLook = () => ({ kind: 'gone', deleted: false });
    await handle.result();
    // the first one is checked again, the second one counts
    expect(looks.length).toBeGreaterThanOrEqual(4);
  });

  it('ends at once when its VM was deleted', async () => {
    onLook = () => ({ kind: 'gone', deleted: true });
    const handle = await admit();
    await handle.result();
    expect(looks.length).toBe(1);
  });

  it('gives a look more time when its checks need it', async () => {
    const limits: (number | null)[] = [];
    onLook = () => {
      const { startToCloseTimeoutMs } = Context.current().info;
      limits.push(startToCloseTimeoutMs);
      return startToCloseTimeoutMs < 120_000 ? { kind: 'needs-time', lookLimitMs: 120_000 } : steady('1 minute');
    };
    const handle = await admit();
    await until(() => limits.length >= 2);
    expect(limits.slice(0, 2)).toEqual([20_000, 120_000]);
    await retire(handle);
  });

  it('hears of a transition that a killed look had committed but not returned', async () => {
    // the look's transaction is committed, its worker dies before it can answer, and the next attempt finds the state ahead
    let committed = 0;
    onLook = (input) => {
      if (committed === 0) {
        committed = 1;
        throw new Error('worker killed');
      }
      return input.deliveredSeq < committed ? health(committed, 'unhealthy') : steady('1 minute');
    };
    const handle = await admit();
    await until(async () => (await view(handle)).status === 'unhealthy');
    expect(looks.at(0)?.deliveredSeq).toBe(0);
    await retire(handle);
  });
});
