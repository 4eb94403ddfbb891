import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import type { Database } from '../../db/database.ts';
import type { LookRecord } from '../../db/looks/look-statement.ts';
import { findWatchedVms } from '../../db/looks/watched-vms.ts';
import { checkConfigs } from '../../db/schema/checks.ts';
import { vmStatus, vms } from '../../db/schema/vms.ts';
import { foldLook } from '../../domain/look.ts';
import type { CheckResult, ProbeResult } from '../../domain/probe-result.ts';
import type { WatchedVm } from '../../domain/watched.ts';
import { probeResult } from '../domain/examples.ts';

export const DAY = 86_400_000;
export const NOON = Date.parse('2026-11-22T12:00:00Z');

type NewVm = Partial<typeof vms.$inferInsert>;
type NewCheck = Partial<typeof checkConfigs.$inferInsert>;

/** Registers a VM with checks, not looked at yet, and reads it back as looks do. */
export async function registerVm(database: Database, vm: NewVm = {}, checks: NewCheck[] = [{}]): Promise<WatchedVm> {
  const vmId = randomUUID();
  const now = new Date(NOON - DAY);
  await database.orm.insert(vms).values({
    id: vmId,
    tenantId: 'default',
    name: 'one',
    site: 'main',
    provider: { kind: 'local' },
    reportIntervalSeconds: 60,
    createdAt: now,
    updatedAt: now,
    ...vm,
  });
  await database.orm.insert(vmStatus).values({
    vmId,
    status: 'unknown',
    reasons: [],
    consecutiveFailures: 0,
    consecutiveSuccesses: 0,
    transitionSeq: 0,
    lookSeq: 0,
  });
  for (const [i, check] of checks.entries()) {
    await database.orm.insert(checkConfigs).values({
      id: randomUUID(),
      vmId,
      checkType: 'http',
      name: i === 0 ? '' : `number ${i}`,
      intervalSeconds: 60,
      failureThreshold: 3,
      successThreshold: 1,
      options: {},
      enabled: true,
      createdAt: now,
      updatedAt: now,
      ...check,
    });
  }
  return readVm(database.pool, vmId);
}

export async function readVm(pool: Pool, vmId: string): Promise<WatchedVm> {
  const vm = (await findWatchedVms(pool, [vmId])).get(vmId);
  if (!vm) throw new Error(`no VM ${vmId}`);
  return vm;
}

/** The same result of every check of the VM at one tick. */
export function resultsOf(vm: WatchedVm, dueAtMs: number, result: ProbeResult = probeResult('healthy')): CheckResult[] {
  return vm.checks.map(({ checkId }) => ({ ...result, checkId, dueAtMs, checkedAtMs: dueAtMs + 3 }));
}

/** A look ready to be written. */
export function lookOf(
  vm: WatchedVm,
  results: readonly CheckResult[],
  endedAtMs = Math.max(NOON, ...results.map((one) => one.dueAtMs)),
): LookRecord {
  const { vmId, tenantId, lookSeq, watchEpoch } = vm;
  return { vmId, tenantId, lookSeq, watchEpoch, endedAtMs, ...foldLook(vm, results, endedAtMs) };
}

export async function count(pool: Pool, what: 'check_results' | 'health_transitions' | 'check_state', vmId: string) {
  const { rows } = await pool.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${what} WHERE vm_id = $1`, [vmId]);
  return rows[0]?.n;
}
