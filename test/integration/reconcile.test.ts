import { randomUUID } from 'node:crypto';
import { Client } from '@temporalio/client';
import { and, eq } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Dependencies } from '../../activities/dependencies.ts';
import { reconcile } from '../../activities/reconcile.ts';
import type { Database } from '../../db/database.ts';
import { incidents } from '../../db/schema/heals.ts';
import { healthTransitions, vmStatus, vms } from '../../db/schema/vms.ts';
import { findCount } from '../../db/upkeep/counts.ts';
import { CORE_TASK_QUEUE, vmWorkflowId } from '../../domain/ids.ts';
import { WORKFLOW } from '../../workflows/messages.ts';
import { registerVm } from '../db/watched.ts';
import { openTestDatabase } from '../support/postgres.ts';
import { type OwnTemporal, startOwnTemporal } from '../support/real-world.ts';
import { describeNeeding } from '../support/requirements.ts';
import { reconcilingOn } from './reconciling.ts';

/** No worker runs here: what counts is which workflows are there. */
describeNeeding(['temporal'], 'reconcile', () => {
  let temporal: OwnTemporal;
  let client: Client;
  let database: Database;
  let deps: Dependencies;
  let logged: string[];

  beforeAll(async () => {
    temporal = await startOwnTemporal();
    client = temporal.client;
  }, 60_000);

  afterAll(async () => {
    await temporal?.stop();
  });

  beforeEach(async () => {
    const test = await openTestDatabase();
    database = test.database;
    ({ deps, logged } = reconcilingOn(database, client));
    return test.close;
  });

  const statusOf = async (vmId: string): Promise<string> =>
    client.workflow
      .getHandle(vmWorkflowId(vmId))
      .describe()
      .then(
        (described) => described.status.name,
        () => 'none',
      );

  async function startWorkflow(vmId: string): Promise<void> {
    await client.workflow.start(WORKFLOW.vmHealth, {
      workflowId: vmWorkflowId(vmId),
      taskQueue: CORE_TASK_QUEUE,
      args: [{ vmId, tenantId: 'default', site: 'main' }],
    });
  }

  async function signalsTo(vmId: string): Promise<(string | null | undefined)[]> {
    const { events } = await client.workflow.getHandle(vmWorkflowId(vmId)).fetchHistory();
    return (events ?? []).map((event) => event.workflowExecutionSignaledEventAttributes?.signalName);
  }

  const lookedAtNow = (vmId: string) =>
    database.orm
      .update(vmStatus)
      .set({ lastLookAt: new Date(), conclusiveUntil: new Date(Date.now() + 60_000) })
      .where(eq(vmStatus.vmId, vmId));

  it('mends nothing where all is well', async () => {
    const { vmId } = await registerVm(database, { announcedVersion: 1 });
    await startWorkflow(vmId);
    await lookedAtNow(vmId);
    expect((await reconcile(deps)).mended).toBe(0);
    expect(await findCount(database.pool, 'reconcile.mended')).toBe(0);
    expect(logged).toEqual([]);
  });

  it('announces changes that were committed while Temporal was away', async () => {
    const { vmId } = await registerVm(database, { settingsVersion: 3, announcedVersion: 2 });
    await startWorkflow(vmId);
    await lookedAtNow(vmId);
    expect(await reconcile(deps)).toEqual({ line: 'announced 1, watched 0, heals 0, retired 0, stuck 0', mended: 1 });
    const [row] = await database.orm.select().from(vms).where(eq(vms.id, vmId));
    expect(row?.announcedVersion).toBe(3);
    expect((await reconcile(deps)).mended).toBe(0);
    expect(await findCount(database.pool, 'reconcile.mended')).toBe(1);
  });

  it('leaves what is under way alone', async () => {
    await registerVm(database, {
      settingsVersion: 3,
      announcedVersion: 2,
      updatedAt: new Date(),
      createdAt: new Date(),
    });
    expect((await reconcile(deps)).mended).toBe(0);
  });

  it('watches a VM again whose workflow is gone', async () => {
    const { vmId } = await registerVm(database, { announcedVersion: 1 });
    await startWorkflow(vmId);
    await client.workflow.getHandle(vmWorkflowId(vmId)).terminate('lost in a test');
    expect(await reconcile(deps)).toMatchObject({ mended: 1 });
    expect(await statusOf(vmId)).toBe('RUNNING');
  });

  it('watches VMs again whose workflow a person has just ended, by whatever means and whatever is to be done with them', async () => {
    const now = new Date();
    const looked = { announcedVersion: 1, createdAt: now, updatedAt: now };
    const ids = [
      await registerVm(database, looked),
      await registerVm(database, { ...looked, pausedAt: now, pausedReason: 'x', pausedBy: 'y' }),
      await registerVm(database, { ...looked, stoppedOnPurposeAt: now }),
      await registerVm(database, looked, []),
    ].map(({ vmId }) => vmId);
    for (const vmId of ids) {
      await lookedAtNow(vmId);
      await startWorkflow(vmId);
      await client.workflow.getHandle(vmWorkflowId(vmId)).terminate('by a person');
    }
    // lists are up to date a moment later
    await expect.poll(async () => (await closedOf(ids)).length, { timeout: 20_000 }).toBe(ids.length);
    expect(await reconcile(deps)).toMatchObject({ line: `announced 0, watched 4, heals 0, retired 0, stuck 0` });
    for (const vmId of ids) expect(await statusOf(vmId)).toBe('RUNNING');
    expect((await reconcile(deps)).mended).toBe(0);
    const { memo } = await client.workflow.getHandle(vmWorkflowId(ids[0] ?? '')).describe();
    expect(memo).toEqual({ VmName: 'one' });
  });

  it('does not watch VMs again that are deleted, and asks for those that ended lately, up to a limit', async () => {
    const { vmId } = await registerVm(database, { announcedVersion: 2, settingsVersion: 2, deletedAt: new Date() });
    await startWorkflow(vmId);
    await client.workflow.getHandle(vmWorkflowId(vmId)).terminate('by a person');
    await expect.poll(async () => (await closedOf([vmId])).length, { timeout: 20_000 }).toBe(1);
    expect((await reconcile(deps)).mended).toBe(0);
    expect(await statusOf(vmId)).toBe('TERMINATED');
    expect(await deps.temporal.closedVmIds(Date.now() + 60_000, 100)).toEqual([]);
    expect(await deps.temporal.closedVmIds(0, 1)).toHaveLength(1);
  });

  /** Those of the VMs whose workflow is listed as closed. */
  async function closedOf(vmIds: string[]): Promise<string[]> {
    const closed = await deps.temporal.closedVmIds(Date.now() - 60_000, 5_000);
    return vmIds.filter((vmId) => closed.includes(vmId));
  }

  it('finds the one VM that lost its workflow among more than a page of others that nobody looks at', async () => {
    const waiting = await Promise.all(
      Array.from({ length: 520 }, async () => {
        const { vmId } = await registerVm(database, { announcedVersion: 1 });
        await startWorkflow(vmId);
        return vmId;
      }),
    );
    const lost = waiting.toSorted().at(-1) ?? '';
    await client.workflow.getHandle(vmWorkflowId(lost)).terminate('lost in a test');
    expect(await reconcile(deps)).toMatchObject({ mended: 1 });
    expect(await statusOf(lost)).toBe('RUNNING');
  });

  it('leaves VMs alone that are not to be looked at', async () => {
    const now = new Date();
    await registerVm(database, { announcedVersion: 1, pausedAt: now, pausedReason: 'x', pausedBy: 'y' });
    await registerVm(database, { announcedVersion: 1, stoppedOnPurposeAt: now });
    await registerVm(database, { announcedVersion: 1 }, []);
    expect((await reconcile(deps)).mended).toBe(0);
  });

  it('counts, and gives notice of, a workflow that for a minute does not know that its VM is ill', async () => {
    const { vmId } = await registerVm(database, { announcedVersion: 1 });
    await startWorkflow(vmId);
    await lookedAtNow(vmId);
    const changedAgo = async (ms: number) => {
      const at = new Date(Date.now() - ms);
      const change = {
        vmId,
        tenantId: 'default',
        seq: 1,
        fromStatus: 'healthy',
        toStatus: 'unhealthy',
        reasons: [],
        at,
      };
      await database.orm.delete(healthTransitions).where(eq(healthTransitions.vmId, vmId));
      await database.orm.insert(healthTransitions).values(change);
      await database.orm.update(vmStatus).set({ status: 'unhealthy', transitionSeq: 1 }).where(eq(vmStatus.vmId, vmId));
    };
    await changedAgo(30_000);
    expect((await reconcile(deps)).line).toMatch(/stuck 0$/);
    await changedAgo(61_000);
    expect((await reconcile(deps)).line).toMatch(/stuck 1$/);
    expect(logged.filter((line) => line.includes('workflows-stuck') && line.includes(vmWorkflowId(vmId)))).toHaveLength(
      1,
    );
    await database.orm.update(vmStatus).set({ status: 'unknown' }).where(eq(vmStatus.vmId, vmId));
    await changedAgo(0);
    expect((await reconcile(deps)).line).toMatch(/stuck 0$/);
  });

  it('alerts once when nobody looks, and mends nothing where the workflow is there', async () => {
    const { vmId } = await registerVm(database, { announcedVersion: 1 });
    await startWorkflow(vmId);
    expect((await reconcile(deps)).mended).toBe(0);
    await reconcile(deps);
    expect(logged.filter((line) => line.includes('Nobody looks at 1 VMs of site main'))).toHaveLength(1);
    await lookedAtNow(vmId);
    await reconcile(deps);
    expect(logged.filter((line) => line.includes('site-unwatched') && line.includes('is over'))).toHaveLength(1);
  });

  it('closes an incident whose heal is gone, so that a new one can open', async () => {
    const { vmId } = await registerVm(database, { announcedVersion: 1 });
    await startWorkflow(vmId);
    await lookedAtNow(vmId);
    await database.orm
      .insert(incidents)
      .values({ vmId, incident: 1, tenantId: 'default', openedAt: new Date(Date.now() - 3_600_000) });
    expect(await reconcile(deps)).toMatchObject({ mended: 1 });
    const [row] = await database.orm
      .select()
      .from(incidents)
      .where(and(eq(incidents.vmId, vmId), eq(incidents.incident, 1)));
    expect(row).toMatchObject({ outcome: 'heal-lost' });
  });

  it('tells a VM’s workflow that its heal is lost, also when it could not at first', async () => {
    const { vmId } = await registerVm(database, { announcedVersion: 1 });
    await startWorkflow(vmId);
    await lookedAtNow(vmId);
    const openedAt = new Date(Date.now() - 120_000);
    await database.orm.insert(incidents).values({ vmId, incident: 1, tenantId: 'default', openedAt });
    const healEnded = () => Promise.reject(new Error('Temporal is away'));
    await expect(reconcile({ ...deps, temporal: { ...deps.temporal, healEnded } })).rejects.toThrow('away');
    await reconcile(deps);
    expect(await signalsTo(vmId)).toContain('healEnded');
  });

  it('retires workflows that have no VM, and no others', async () => {
    const { vmId } = await registerVm(database, { announcedVersion: 1 });
    await startWorkflow(vmId);
    await lookedAtNow(vmId);
    const orphan = randomUUID();
    await startWorkflow(orphan);
    // those that were started just now are left alone
    expect(await reconcile(deps)).toMatchObject({ line: 'announced 0, watched 0, heals 0, retired 0, stuck 0' });
    const later = { ...deps, now: () => Date.now() + 120_000 };
    await expect.poll(async () => (await reconcile(later)).line, { timeout: 20_000 }).toMatch(/retired [1-9]/);
    expect(await signalsTo(orphan)).toContain('retire');
    expect(await signalsTo(vmId)).not.toContain('retire');
  });

  it('retires the workflow of a VM that was deleted while Temporal was away', async () => {
    const { vmId } = await registerVm(database, {
      settingsVersion: 2,
      announcedVersion: 1,
      deletedAt: new Date(Date.now() - 3_600_000),
    });
    await startWorkflow(vmId);
    expect(await reconcile(deps)).toMatchObject({ mended: 1 });
    expect(await signalsTo(vmId)).toContain('retire');
  });
});
