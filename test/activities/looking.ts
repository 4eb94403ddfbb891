import { pino } from 'pino';
import { beforeEach } from 'vitest';
import type { Dependencies } from '../../activities/dependencies.ts';
import { createLook, type Look, type LookOutcome } from '../../activities/look/look.ts';
import { createUnstoredResults, type UnstoredResults } from '../../activities/look/unstored-results.ts';
import type { Probe } from '../../checks/check.ts';
import { type Database, openDatabase } from '../../db/database.ts';
import { LIMITS, type Limits } from '../../db/limits.ts';
import { createLookWriter, MAX_LANES } from '../../db/looks/look-writer.ts';
import { tickAtOrBefore } from '../../domain/grid.ts';
import type { LookMode } from '../../domain/look.ts';
import type { ProbeResult } from '../../domain/probe-result.ts';
import type { WatchedVm } from '../../domain/watched.ts';
import { NOON } from '../db/watched.ts';
import { probeResult } from '../domain/examples.ts';
import { lookRequest } from './look-request.ts';

export const MINUTE = 60_000;

/** What looks of a test meet and have met. */
export const seen: {
  nowMs: number;
  /** What every probe finds. */
  found: ProbeResult;
  /** Targets in the order in which they were probed. */
  probed: (string | null)[];
} = { nowMs: NOON, found: probeResult('healthy'), probed: [] };
beforeEach(() => {
  Object.assign(seen, { nowMs: NOON, found: probeResult('healthy'), probed: [] });
});

export const probe: Probe = {
  about: 'alive',
  needsCorroboration: false,
  needs: [],
  probe: async ({ target }) => {
    seen.probed.push(target);
    return seen.found;
  },
};

/** A worker's looks, with connections of its own and the limits of a real worker. */
export class Looking {
  readonly reads: Database;
  readonly writes: Database;
  readonly unstored: UnstoredResults = createUnstoredResults();
  readonly deps: Dependencies;
  readonly look: Look;

  constructor(
    readsUrl: string,
    { writesUrl = readsUrl, probes = new Map([['http', probe]]), limits = {} }: Given = {},
  ) {
    this.reads = openDatabase(readsUrl, { applicationName: 'reads', limits: { ...LIMITS.looks, ...limits } });
    const shared = writesUrl === readsUrl ? { state: this.reads.state } : {};
    this.writes = openDatabase(writesUrl, {
      applicationName: 'writes',
      max: MAX_LANES + 1,
      limits: { ...LIMITS.writes, ...limits },
      ...shared,
    });
    this.deps = {
      database: this.reads,
      looks: createLookWriter(this.writes.pool),
      probes,
      log: pino({ level: 'silent' }),
      now: () => seen.nowMs,
    } as unknown as Dependencies;
    this.look = createLook(this.deps, this.unstored);
  }

  /** A look, given what the one before could not store, as Temporal's heartbeat gives it. */
  async at(vmId: string, atMs: number, before?: LookOutcome, mode?: LookMode): Promise<LookOutcome> {
    seen.nowMs = atMs;
    const unstored = before?.kind === 'not-stored' ? before.unstored : [];
    return this.look(lookRequest(vmId, { unstored, ...(mode && { mode: () => mode }) }));
  }

  async close(): Promise<void> {
    await this.writes.close();
    await this.reads.close();
  }
}

export interface Given {
  writesUrl?: string;
  probes?: ReadonlyMap<string, Probe>;
  limits?: Partial<Limits>;
}

/** The grid's ticks of a VM whose checks are a minute apart. */
export const tick = ({ vmId }: Pick<WatchedVm, 'vmId'>, n: number) => tickAtOrBefore(vmId, MINUTE, NOON) + n * MINUTE;

/** What is stored of a VM, oldest first, in minutes after the first tick. */
export async function stored(database: Database, vm: WatchedVm): Promise<[minute: number, status: string][]> {
  const sql = 'SELECT due_at, status FROM check_results WHERE vm_id = $1 ORDER BY due_at';
  const { rows } = await database.pool.query<{ due_at: Date; status: string }>(sql, [vm.vmId]);
  return rows.map((row) => [(row.due_at.getTime() - tick(vm, 0)) / MINUTE, row.status]);
}

export async function successesOf(database: Database, vm: WatchedVm): Promise<number> {
  const sql = 'SELECT consecutive_successes AS n FROM check_state WHERE vm_id = $1';
  return (await database.pool.query<{ n: number }>(sql, [vm.vmId])).rows[0]?.n ?? 0;
}
