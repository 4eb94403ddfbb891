import type { QueryResult } from 'pg';
import {
  concernsServer,
  DatabaseAway,
  type DatabaseTrouble,
  databaseTrouble,
  type TroubleReason,
  troubleOf,
} from './database-trouble.ts';
import { LimitedPool, type PoolObserver } from './limited-pool.ts';
import { LIMITS } from './limits.ts';

/** Receives the beginning of trouble, once for each reason, and the end, once when all of it is over. */
export interface TroubleReport {
  began(trouble: DatabaseTrouble, error: unknown): void;
  over(): void;
}

/** What a process knows of its database: one per process, shared by its pools. */
export interface DatabaseState extends PoolObserver {
  /** What keeps the database from doing its work; null = nothing that this process knows of. */
  readonly trouble: DatabaseTrouble | null;
  /** Asks the database whether it can store anything now. Callers at the same time share one answer; it never rejects. */
  probe(): Promise<DatabaseTrouble | null>;
  /** Records how one kind of use of the database, such as `looks`, last ended; null = the database did its work. */
  note(use: string, trouble: DatabaseTrouble | null, error?: unknown): void;
  /** Ends its own probes. The pools that share it are closed by their owners. */
  close(): Promise<void>;
}

/** In ms; tests use shorter times. */
export interface Pace {
  /** Between two probes while there is trouble. */
  probeEveryMs: number;
  /** Trouble that comes back within this time counts as the same trouble. */
  overAfterMs: number;
  /** How long the trouble that `note` recorded counts as present, because a kind of use may never come again. */
  useStandsMs: number;
}

const PACE: Pace = { probeEveryMs: 1_000, overAfterMs: 5_000, useStandsMs: 90_000 };

/** After these, connections that are open now may lead to a server that is gone, or that is no longer the primary. */
const OUTDATES: ReadonlySet<TroubleReason> = new Set(['unreachable', 'not-answering', 'shutting-down', 'read-only']);

const SERVER = 'server';
const NOBODY: TroubleReport = { began: () => undefined, over: () => undefined };

/**
 * Keeps the state of a database, from the errors of the pools that share it. While the server is in trouble, a connection of
 * its own probes it every second, so that no query has to wait in order to find out. The first good answer ends the trouble.
 */
export function createDatabaseState(
  databaseUrl: string,
  report: TroubleReport = NOBODY,
  { probeEveryMs, overAfterMs, useStandsMs }: Pace = PACE,
): DatabaseState {
  const troubles = new Map<string, DatabaseTrouble>();
  const expiries = new Map<string, NodeJS.Timeout>();
  /** Reasons reported since the trouble began. */
  const reported = new Set<TroubleReason>();
  let generation = 0;
  /** How many troubles of the server have begun. */
  let begun = 0;
  let refusing: DatabaseAway | null = null;
  let probing: Promise<DatabaseTrouble | null> | null = null;
  let nextProbe: NodeJS.Timeout | null = null;
  let over: NodeJS.Timeout | null = null;
  let closed = false;

  // a probe reports its errors by its answer; a server in trouble is always probed on a new connection
  const ownObserver: PoolObserver = {
    get generation() {
      return generation + begun;
    },
    refusing: null,
    failed: () => undefined,
  };
  const pool = new LimitedPool(
    databaseUrl,
    { applicationName: 'defib-probe', max: 1, limits: LIMITS.probe, allowExitOnIdle: true },
    ownObserver,
  );

  const state: DatabaseState = {
    get trouble() {
      return troubles.get(SERVER) ?? troubles.values().next().value ?? null;
    },
    get generation() {
      return generation;
    },
    get refusing() {
      return refusing;
    },
    failed(error) {
      const trouble = databaseTrouble(error);
      if (closed || trouble === null || !concernsServer(trouble)) return;
      serverFailed(trouble, error);
      // a new connection that takes too long does not by itself refuse the use of open ones
      if (trouble.reason === 'not-answering' || refusing !== null) refusing = new DatabaseAway(trouble);
    },
    probe() {
      probing ??= ask(pool, troubles.has(SERVER))
        .then(({ trouble, error }) => {
          if (trouble === null) serverAnswered();
          else if (!closed) serverFailed(trouble, error);
          return trouble;
        })
        .finally(() => {
          probing = null;
        });
      return probing;
    },
    note,
    async close() {
      closed = true;
      if (nextProbe !== null) clearTimeout(nextProbe);
      if (over !== null) clearTimeout(over);
      for (const expiry of expiries.values()) clearTimeout(expiry);
      await pool.end();
    },
  };
  return state;

  function serverFailed(trouble: DatabaseTrouble, error: unknown): void {
    const before = troubles.get(SERVER)?.reason;
    if (OUTDATES.has(trouble.reason) && before !== trouble.reason) generation++;
    note(SERVER, trouble, error);
    if (before !== undefined) return;
    begun++;
    // the first probe comes at once: what one connection met may be over, or may not concern others
    void state.probe().then(probeAgain);
  }

  function serverAnswered(): void {
    refusing = null;
    const before = troubles.get(SERVER)?.reason;
    // connections that were made during the trouble may lead to another server
    if (before !== undefined && OUTDATES.has(before)) generation++;
    note(SERVER, null);
  }

  function probeAgain(trouble: DatabaseTrouble | null): void {
    if (trouble === null || closed || nextProbe !== null) return;
    nextProbe = setTimeout(() => {
      nextProbe = null;
      void state.probe().then(probeAgain);
    }, probeEveryMs);
    nextProbe.unref();
  }

  function note(use: string, trouble: DatabaseTrouble | null, error?: unknown): void {
    clearTimeout(expiries.get(use));
    if (trouble === null) {
      if (!troubles.delete(use) || troubles.size > 0) return;
      over ??= setTimeout(() => {
        over = null;
        reported.clear();
        report.over();
      }, overAfterMs).unref();
      return;
    }
    troubles.set(use, trouble);
    if (use !== SERVER) expiries.set(use, setTimeout(note, useStandsMs, use, null).unref());
    if (over !== null) clearTimeout(over);
    over = null;
    if (reported.has(trouble.reason)) return;
    reported.add(trouble.reason);
    report.began(trouble, error);
  }
}

/**
 * Needs no table, stores nothing, and fails where storing would fail: rows beyond `work_mem` go to a file beside the tables,
 * which fails on a full disk; a standby, or a server that was made read-only, says so.
 */
const PROBE = `BEGIN; SET LOCAL work_mem = '64kB';
SELECT current_setting('transaction_read_only') AS read_only, (SELECT count(*) FROM generate_series(1, 10000)) AS spilled;
ROLLBACK`;

interface Probed {
  trouble: DatabaseTrouble | null;
  error: unknown;
}

async function ask(pool: LimitedPool, onNewConnection: boolean): Promise<Probed> {
  try {
    const client = await pool.connect();
    let isWell = false;
    try {
      const results = (await client.query(PROBE)) as unknown as QueryResult<{ read_only: string }>[];
      isWell = results.some(({ rows }) => rows[0]?.read_only === 'off');
    } finally {
      client.release(!isWell || onNewConnection);
    }
    return { trouble: isWell ? null : troubleOf('read-only'), error: null };
  } catch (error) {
    return { trouble: databaseTrouble(error) ?? troubleOf('refused'), error };
  }
}
