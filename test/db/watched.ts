import type { Pool } from 'pg';
import type { Database } from '../../db/database.ts';
import type { LookRecord } from '../../db/looks/look-statement.ts';
import { findWatchedVms } from '../../db/looks/watched-vms.ts';
import { foldLook } from '../../domain/look.ts';
import type { CheckResult, ProbeResult } from '../../domain/probe-result.ts';
import type { WatchedVm } from '../../domain/watched.ts';
import { probeResult, traitsOf } from '../domain/examples.ts';
import { type SeededCheck, type SeededVm, seedVm } from '../support/seed-vm.ts';

export const DAY = 86_400_000;
export const NOON = Date.parse('2026-11-22T12:00:00Z');

/** Stores a VM with checks, not looked at yet, and reads it back as looks do. */
export async function registerVm(
  database: Database,
  vm: SeededVm = {},
  checks: readonly SeededCheck[] = [{}],
): Promise<WatchedVm> {
  return readVm(database.pool, await seedVm(database, vm, checks));
}

/** Reads a VM as looks do. @throws Error when there is none */
export async function readVm(pool: Pool, vmId: string): Promise<WatchedVm> {
  const vm = (await findWatchedVms(pool, [vmId], traitsOf)).get(vmId);
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

/** How many rows about a VM a table has. */
export async function count(pool: Pool, what: 'check_results' | 'health_transitions' | 'check_state', vmId: string) {
  const { rows } = await pool.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${what} WHERE vm_id = $1`, [vmId]);
  return rows[0]?.n;
}
