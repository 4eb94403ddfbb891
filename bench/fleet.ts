import { setTimeout as sleep } from 'node:timers/promises';
import { inArray, sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { completeCheck } from '../api/check-defaults.ts';
import { hashToken, makeToken } from '../db/access/api-tokens.ts';
import { checkConfigs } from '../db/schema/checks.ts';
import { auditLog } from '../db/schema/system.ts';
import { apiTokens } from '../db/schema/tenants.ts';
import { vmAgents, vmStatus, vms } from '../db/schema/vms.ts';
import { UNSEEN } from '../domain/vm-health.ts';
import type { World } from './world.ts';

export const CHECKS_NOTE =
  'Each VM has three checks: **http** (GET of the target with the VM’s id, connection opened and closed), **tcp** (connection to ' +
  'the same port) and **agent** (the age of a heartbeat that was written beforehand; agents’ reports are no part of the load).';

const TENANT = 'default';
const SITE = 'main';
const BATCH = 250;
const AT_ONCE = 20;
/** Started, but not looked at yet: the more of these, the less the looks of the others come in time. */
const MOST_UNSEEN = 150;
const DAY_SECONDS = 86_400;

export interface Fleet {
  readonly vmIds: readonly string[];
  readonly intervalMs: number;
}

export interface FleetPlan {
  readonly count: number;
  readonly intervalSeconds: number;
  readonly namePrefix: string;
  readonly startsPerSecond: number;
}

/**
 * Registers VMs as the API does, but many at once: the same rows in bulk, then each workflow started by the same signal.
 * Resolves when every VM has been looked at.
 */
export async function registerFleet(world: World, plan: FleetPlan, progress: (line: string) => void): Promise<Fleet> {
  const unseen = new Set<string>();
  const vmIds: string[] = [];
  const limitMs = 120_000 + plan.count * 150;
  const untilMs = Date.now() + limitMs;
  const deaf = world.targets.listen(({ label }) => unseen.delete(label));
  const untilUnseen = async (most: number): Promise<void> => {
    while (unseen.size > most) {
      if (Date.now() > untilMs) throw new Error(`${unseen.size} VMs were not looked at within ${limitMs / 1000} s`);
      await sleep(20);
    }
  };
  try {
    while (vmIds.length < plan.count) {
      const names = Array.from({ length: Math.min(BATCH, plan.count - vmIds.length) }, (_, index) => {
        return `${plan.namePrefix}-${String(vmIds.length + index + 1).padStart(5, '0')}`;
      });
      const batch = await insertVms(world, names, plan.intervalSeconds);
      await startWorkflows(world, batch, plan.startsPerSecond, (vmId) => {
        unseen.add(vmId);
        return untilUnseen(MOST_UNSEEN);
      });
      vmIds.push(...batch);
      progress(`${vmIds.length} of ${plan.count} VMs registered, ${vmIds.length - unseen.size} looked at`);
    }
    await untilUnseen(0);
  } finally {
    deaf();
  }
  return { vmIds, intervalMs: plan.intervalSeconds * 1000 };
}

/** The rows of db/fleet/vm-registration.ts's recordVm, and a heartbeat. */
async function insertVms(world: World, names: readonly string[], intervalSeconds: number): Promise<string[]> {
  const nowMs = Date.now();
  const now = new Date(nowMs);
  const { port } = world.targets;
  const rows = names.map((name) => {
    const id = uuidv7();
    const checks = [
      completeCheck({ checkType: 'http', target: `http://127.0.0.1:${port}/vm/${id}`, intervalSeconds }),
      completeCheck({ checkType: 'tcp', target: String(port), intervalSeconds }),
      completeCheck({ checkType: 'agent', intervalSeconds, staleAfterSeconds: 7 * DAY_SECONDS }),
    ];
    return { id, name, checks };
  });
  const stamps = { createdAt: now, updatedAt: now };
  const provider = { kind: 'local' as const };
  await world.database.orm.transaction(async (tx) => {
    await tx.insert(vms).values(
      rows.map(({ id, name }) => ({
        id,
        name,
        tenantId: TENANT,
        address: '127.0.0.1',
        externalId: name,
        site: SITE,
        provider,
        reportIntervalSeconds: 60,
        ...stamps,
      })),
    );
    const { status, reasons, consecutiveFailures, consecutiveSuccesses, transitionSeq } = UNSEEN;
    const unseen = { status, reasons, consecutiveFailures, consecutiveSuccesses, transitionSeq, lookSeq: 0 };
    await tx.insert(vmStatus).values(rows.map(({ id }) => ({ vmId: id, ...unseen })));
    await tx
      .insert(checkConfigs)
      .values(
        rows.flatMap(({ id, checks }) => checks.map((check) => ({ ...check, id: uuidv7(), vmId: id, ...stamps }))),
      );
    const tokens = rows.map(({ id }) => ({
      id: uuidv7(),
      tenantId: TENANT,
      role: 'AGENT' as const,
      vmId: id,
      name: 'agent',
      tokenHash: hashToken(makeToken()),
      createdAt: now,
    }));
    await tx.insert(apiTokens).values(tokens);
    const created = rows.map(({ id, name, checks }) => ({
      tenantId: TENANT,
      at: now,
      actor: 'bench',
      action: 'vm_created',
      vmId: id,
      details: {
        name,
        externalId: name,
        address: '127.0.0.1',
        provider: 'local',
        checkTypes: checks.map((check) => check.checkType),
      },
    }));
    const given = tokens.map(({ id, vmId }) => ({
      tenantId: TENANT,
      at: now,
      actor: 'bench',
      action: 'token_created',
      vmId,
      details: { tokenId: id, name: 'agent', role: 'AGENT' },
    }));
    await tx.insert(auditLog).values([...created, ...given]);
    const load = { cpuPercent: 12, ramPercent: 34, diskPercent: 56, uptimeSeconds: 86_400 };
    await tx.insert(vmAgents).values(rows.map(({ id }) => ({ vmId: id, lastHeartbeatAt: now, ...load })));
  });
  return rows.map(({ id }) => id);
}

/** At most so many a second and AT_ONCE at the same time; `beforeEach` may hold them back. */
async function startWorkflows(
  world: World,
  vmIds: readonly string[],
  perSecond: number,
  beforeEach: (vmId: string) => Promise<void>,
): Promise<void> {
  const waiting = [...vmIds];
  let nextAtMs = Date.now();
  const starter = async (): Promise<void> => {
    for (let vmId = waiting.shift(); vmId !== undefined; vmId = waiting.shift()) {
      await beforeEach(vmId);
      const atMs = Math.max(nextAtMs, Date.now());
      nextAtMs = atMs + 1000 / perSecond;
      await sleep(atMs - Date.now());
      await startWorkflow(world, vmId);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, starter));
  await world.database.orm
    .update(vms)
    .set({ announcedVersion: sql`greatest(${vms.announcedVersion}, 1)` })
    .where(inArray(vms.id, [...vmIds]));
}

async function startWorkflow({ signals }: World, vmId: string): Promise<void> {
  let message = '';
  for (let attempt = 0; attempt < 5; attempt++) {
    const told = await signals.announce({ vmId, tenantId: TENANT, site: SITE, version: 1, lookSooner: true });
    if (told.ok) return;
    message = told.message;
    await sleep(500);
  }
  throw new Error(`the workflow of VM ${vmId} was not started: ${message}`);
}
