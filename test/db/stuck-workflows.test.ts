import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../db/database.ts';
import { healthTransitions, vmStatus, vms } from '../../db/schema/vms.ts';
import {
  eventfulVmIds,
  findSettledHealth,
  findStuckWorkflows,
  recordStuckWorkflows,
} from '../../db/upkeep/stuck-workflows.ts';
import { openTestDatabase } from '../support/postgres.ts';
import { seedVm } from '../support/seed-vm.ts';

const NOON = Date.parse('2026-11-22T12:00:00Z');
const LATER = new Date(NOON + 1_000);
const EARLIER = new Date(NOON - 1_000);

describe('what is asked and known of workflows that can’t go on', () => {
  let database: Database;
  let close: () => Promise<void>;

  beforeAll(async () => {
    ({ database, close } = await openTestDatabase());
  });
  afterAll(() => close());

  /** A VM whose health changed at these times, the last one last. */
  async function seedChanged(...times: Date[]): Promise<string> {
    const vmId = await seedVm(database);
    const change = { vmId, tenantId: 'default', fromStatus: 'healthy', toStatus: 'degraded', reasons: [] };
    for (const [index, at] of times.entries()) {
      await database.orm.insert(healthTransitions).values({ ...change, seq: index + 1, at });
    }
    await database.orm.update(vmStatus).set({ transitionSeq: times.length }).where(eq(vmStatus.vmId, vmId));
    return vmId;
  }

  it('finds the VMs whose health or settings changed since', async () => {
    await seedVm(database);
    await seedChanged(EARLIER);
    const settings = await seedVm(database, { updatedAt: LATER });
    const changed = await seedChanged(EARLIER, LATER);
    const found: string[] = [];
    for await (const page of eventfulVmIds(database.pool, NOON)) found.push(...page);
    expect(found).toEqual([changed, settings].toSorted());
  });

  it('takes health for settled once it has not changed for a while, where looks should come', async () => {
    const settled = await seedChanged(new Date(NOON - 2_000), EARLIER);
    const vmIds = [settled, await seedVm(database), await seedChanged(EARLIER, LATER)];
    for (const why of ['deletedAt', 'pausedAt', 'stoppedOnPurposeAt'] as const) {
      const vmId = await seedChanged(EARLIER);
      await database.orm
        .update(vms)
        .set({ [why]: LATER })
        .where(eq(vms.id, vmId));
      vmIds.push(vmId);
    }
    expect(await findSettledHealth(database.pool, vmIds, NOON)).toEqual(new Map([[settled, 'unknown']]));
  });

  it('remembers which could not go on, and when that was found', async () => {
    expect(await findStuckWorkflows(database.pool)).toBeNull();
    await recordStuckWorkflows(database.pool, ['vm/1'], NOON);
    expect(await findStuckWorkflows(database.pool)).toEqual({ ids: ['vm/1'], at: new Date(NOON) });
    await recordStuckWorkflows(database.pool, [], LATER.getTime());
    expect(await findStuckWorkflows(database.pool)).toEqual({ ids: [], at: LATER });
  });
});
