import { DatabaseError, type Pool } from 'pg';
import type { ClockReading } from '../../domain/clock-offset.ts';
import { DatabaseAway, databaseTrouble, type TroubleReason, troubleOf } from '../database-trouble.ts';
import { retryContended } from '../transactions.ts';
import { ensurePartition } from '../upkeep/partitions.ts';
import { findHeldVms, type LookRecord, storeLooks } from './look-statement.ts';

/** `stored`: durable now. `overtaken`: another look was stored first; read again and fold again. */
export type LookWritten = 'stored' | 'overtaken';

/** A look, and how its caller is answered. */
export interface WaitingLook {
  look: LookRecord;
  resolve(written: LookWritten): void;
  reject(error: unknown): void;
}

/** Where looks are stored. */
export interface LookStore {
  pool: Pool;
  /** Receives the database's time with every group. */
  hearTime(reading: ClockReading): void;
}

const DAY_MS = 86_400_000;

/** What has been tried already with this group. */
interface Tried {
  partitions?: boolean;
  withoutHeld?: boolean;
}

/**
 * Stores a group of looks, each of another VM, and gives every one its own answer; never rejects. Answers the trouble that kept
 * all of them from being stored, or null.
 *
 * A group that Postgres refuses for its rows is halved until only the offending look fails: rows of one VM that Postgres
 * refuses keep no other VM's from being stored. Everything else is trouble of Postgres's: no look is at fault, none is tried
 * alone, and all may be stored later. The exception is a row that another transaction has locked: then the looks at the other
 * VMs are stored.
 */
export async function storeGroup(
  store: LookStore,
  group: readonly WaitingLook[],
  tried: Tried = {},
): Promise<DatabaseAway | null> {
  try {
    const looks = group.map((one) => one.look);
    const stored = await retryContended(() => storeLooks(store.pool, looks, store.hearTime));
    for (const { look, resolve } of group) resolve(stored.has(look.vmId) ? 'stored' : 'overtaken');
    return null;
  } catch (error) {
    if (isMissingPartition(error) && !tried.partitions) {
      const unmade = await makePartitions(store.pool, group);
      return unmade ? rejectAll(group, unmade) : storeGroup(store, group, { ...tried, partitions: true });
    }
    if (isRefusalOfRows(error)) {
      await storeHalves(store, group, error, tried);
      return null;
    }
    const away = new DatabaseAway(databaseTrouble(error) ?? troubleOf('refused'), { cause: error });
    return WAITED.has(away.trouble.reason) && !tried.withoutHeld
      ? storeWithoutHeld(store, group, away, tried)
      : rejectAll(group, away);
  }
}

const WAITED: ReadonlySet<TroubleReason> = new Set(['lock-timeout', 'statement-timeout']);

function rejectAll(group: readonly WaitingLook[], away: DatabaseAway): DatabaseAway {
  for (const { reject } of group) reject(away);
  return away;
}

async function storeHalves(
  store: LookStore,
  group: readonly WaitingLook[],
  error: unknown,
  tried: Tried,
): Promise<void> {
  if (group.length === 1) {
    group[0]?.reject(error);
    return;
  }
  const half = group.length >> 1;
  await storeGroup(store, group.slice(0, half), tried);
  await storeGroup(store, group.slice(half), tried);
}

/** Rejects the looks at VMs whose rows another transaction has locked, and stores the others. */
async function storeWithoutHeld(
  store: LookStore,
  group: readonly WaitingLook[],
  away: DatabaseAway,
  tried: Tried,
): Promise<DatabaseAway | null> {
  const vmIds = group.map(({ look }) => look.vmId);
  const held = await findHeldVms(store.pool, vmIds).catch(() => null);
  // no row is locked (any more): worth a try after a lock timeout, but a statement that was only slow would be slow again
  const isOverAlready = held?.size === 0 && away.trouble.reason === 'lock-timeout';
  if (held === null || (held.size === 0 && !isOverAlready)) return rejectAll(group, away);
  const itsRowIsHeld = new DatabaseAway(troubleOf('lock-timeout'), { cause: away });
  for (const { look, reject } of group) if (held.has(look.vmId)) reject(itsRowIsHeld);
  const free = group.filter(({ look }) => !held.has(look.vmId));
  return free.length === 0 ? null : storeGroup(store, free, { ...tried, withoutHeld: true });
}

/**
 * Classes of errors that may be due to the values of a row, or to where it is stored; every other class is about the
 * connection, the schema or the server. https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const CLASSES_OF_ROWS: ReadonlySet<string> = new Set(['21', '22', '23', '54', 'P0', 'XX']);

function isRefusalOfRows(error: unknown): boolean {
  if (databaseTrouble(error) !== null) return false;
  // an error that is not Postgres's comes from the look itself, which can't be serialized
  return !(error instanceof DatabaseError) || CLASSES_OF_ROWS.has(error.code?.slice(0, 2) ?? '');
}

function isMissingPartition(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === '23514' && /no partition/.test(error.message);
}

/**
 * Makes the partitions of the days that these looks are for; answers the trouble that kept it from that, or null. Where a
 * partition can't be made for another reason, the looks that need it fail.
 */
async function makePartitions(pool: Pool, group: readonly WaitingLook[]): Promise<DatabaseAway | null> {
  const days = new Set(group.flatMap(({ look }) => look.folded.map((one) => Math.floor(one.dueAtMs / DAY_MS))));
  for (const day of days) {
    try {
      await ensurePartition(pool, 'check_results', day * DAY_MS);
    } catch (error) {
      const trouble = databaseTrouble(error);
      if (trouble !== null) return new DatabaseAway(trouble, { cause: error });
    }
  }
  return null;
}
