import { setTimeout as sleep } from 'node:timers/promises';
import { completeCheck } from '../api/check-defaults.ts';
import { recordAnnounced } from '../db/fleet/vm-changes.ts';
import { recordVm } from '../db/fleet/vm-registration.ts';
import { vmAgents } from '../db/schema/vms.ts';
import { until } from '../local/until.ts';
import type { World } from './world.ts';

/** For the report: the checks of each VM. */
export const CHECKS_NOTE =
  'Each VM has three checks: **http** (GET of the target with the VM’s name, on a new connection), **tcp** (connection to ' +
  'the same port) and **agent** (the age of a heartbeat that was written beforehand; agents send no reports meanwhile).';

const TENANT = 'default';
const SITE = 'main';
const AT_ONCE = 20;
/** At most this many VMs that are started but not looked at yet: with more, the looks of the others would come late. */
const MAX_UNSEEN = 150;
const DAY_SECONDS = 86_400;
const REPORT_EVERY = 250;

export interface Fleet {
  /** Ids by name; the targets know each VM by its name. */
  readonly vms: ReadonlyMap<string, string>;
  readonly intervalMs: number;
}

export interface FleetPlan {
  readonly count: number;
  readonly intervalSeconds: number;
  readonly namePrefix: string;
  readonly startsPerSecond: number;
}

/**
 * Registers VMs as the API does, but many at once: the same rows, then the same signal that starts the workflow. Resolves
 * when every VM has been looked at.
 * @throws Error when some are not looked at in time.
 */
export async function registerFleet(world: World, plan: FleetPlan, progress: (line: string) => void): Promise<Fleet> {
  const { count, intervalSeconds, namePrefix, startsPerSecond } = plan;
  const limitMs = 120_000 + count * 150;
  const unseen = new Set<string>();
  const vms = new Map<string, string>();
  const untilUnseen = (max: number) =>
    until(() => unseen.size <= max, {
      everyMs: 20,
      limitMs,
      otherwise: new Error(`VMs were not looked at within ${limitMs / 1000} s`),
    });
  const stopListening = world.targets.listen(({ label }) => unseen.delete(label));
  let number = 0;
  let nextAtMs = Date.now();
  const registerNext = async (): Promise<void> => {
    while (number < count) {
      const name = `${namePrefix}-${String(++number).padStart(5, '0')}`;
      await untilUnseen(MAX_UNSEEN);
      const atMs = Math.max(nextAtMs, Date.now());
      nextAtMs = atMs + 1000 / startsPerSecond;
      await sleep(atMs - Date.now());
      unseen.add(name);
      const vmId = await store(world, name, intervalSeconds);
      await startWorkflow(world, vmId);
      vms.set(name, vmId);
      if (vms.size % REPORT_EVERY === 0 || vms.size === count) {
        progress(`${vms.size} of ${count} VMs registered, ${vms.size - unseen.size} looked at`);
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, registerNext));
    await untilUnseen(0);
  } finally {
    stopListening();
  }
  return { vms, intervalMs: intervalSeconds * 1000 };
}

/** A VM with its checks, and a heartbeat. */
async function store({ database, targets }: World, name: string, intervalSeconds: number): Promise<string> {
  const vm = {
    name,
    address: '127.0.0.1',
    externalId: name,
    site: SITE,
    provider: { kind: 'none' as const },
    reportIntervalSeconds: 60,
  };
  const checks = [
    completeCheck(
      { checkType: 'http', target: `http://127.0.0.1:${targets.port}/vm/${name}`, intervalSeconds },
      'ADMIN',
    ),
    completeCheck({ checkType: 'tcp', target: String(targets.port), intervalSeconds }, 'ADMIN'),
    completeCheck({ checkType: 'agent', intervalSeconds, staleAfterSeconds: 7 * DAY_SECONDS }, 'ADMIN'),
  ];
  const nowMs = Date.now();
  const stored = await recordVm(database, vm, checks, { tenantId: TENANT, actor: 'bench', nowMs });
  if (!stored.ok) throw new Error(`${name} is registered already`);
  const load = { cpuPercent: 12, ramPercent: 34, diskPercent: 56, uptimeSeconds: 86_400 };
  await database.orm.insert(vmAgents).values({ vmId: stored.id, lastHeartbeatAt: new Date(nowMs), ...load });
  return stored.id;
}

async function startWorkflow({ signals, database }: World, vmId: string): Promise<void> {
  let message = '';
  const announce = async () => {
    const delivery = await signals.announce({ vmId, tenantId: TENANT, site: SITE, version: 1, lookSooner: true });
    if (!delivery.ok) message = delivery.message;
    return delivery.ok;
  };
  await until(announce, { everyMs: 500, limitMs: 10_000 }).catch((cause: unknown) => {
    throw new Error(`the workflow of VM ${vmId} was not started: ${message}`, { cause });
  });
  await recordAnnounced(database.pool, vmId, 1);
}
