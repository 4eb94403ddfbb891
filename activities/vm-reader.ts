import { setTimeout as setTimeoutPromise } from 'node:timers/promises';
import type { Pool } from 'pg';
import { findWatchedVms } from '../db/looks/watched-vms.ts';
import { findPolicies } from '../db/policies/find-policies.ts';
import { findListening } from '../db/reports/listening.ts';
import type { ListeningSpan } from '../domain/agent-staleness.ts';
import type { Policy } from '../domain/policy.ts';
import type { WatchedVm } from '../domain/watched.ts';

const GROUP_WAIT_MS = 4;
const KEEP_MS = 2_000;

/** Reads what looks need, sharing one query among the looks of a few milliseconds. */
export interface VmReader {
  /** Null when there is no such VM. Rejects when Postgres is away. */
  vm(vmId: string): Promise<WatchedVm | null>;
  /** At most 2 s old. */
  policies(tenantId: string): Promise<Policy[]>;
  /** At most 2 s old. */
  listening(): Promise<ListeningSpan[]>;
}

export function createVmReader(pool: Pool, now: () => number): VmReader {
  const vms = groupedReads((vmIds) => findWatchedVms(pool, vmIds));
  const policies = new Map<string, Kept<Policy[]>>();
  const listening = new Map<string, Kept<ListeningSpan[]>>();
  return {
    vm: (vmId) => vms(vmId),
    policies: (tenantId) => kept(policies, tenantId, now, () => findPolicies(pool, tenantId)),
    listening: () => kept(listening, '', now, () => findListening(pool, now())),
  };
}

interface Kept<T> {
  untilMs: number;
  value: Promise<T>;
}

function kept<T>(store: Map<string, Kept<T>>, key: string, now: () => number, read: () => Promise<T>): Promise<T> {
  const held = store.get(key);
  if (held && now() < held.untilMs) return held.value;
  const value = read();
  store.set(key, { untilMs: now() + KEEP_MS, value });
  value.catch(() => store.delete(key));
  return value;
}

/** Turns single reads by key into group reads. */
function groupedReads<T>(read: (keys: string[]) => Promise<Map<string, T>>): (key: string) => Promise<T | null> {
  let group: { keys: Set<string>; rows: Promise<Map<string, T>> } | null = null;

  function openGroup(): { keys: Set<string>; rows: Promise<Map<string, T>> } {
    const keys = new Set<string>();
    const rows = setTimeoutPromise(GROUP_WAIT_MS).then(() => {
      group = null;
      return read([...keys]);
    });
    return { keys, rows };
  }

  return async (key) => {
    group ??= openGroup();
    group.keys.add(key);
    return (await group.rows).get(key) ?? null;
  };
}
