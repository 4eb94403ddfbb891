import type { Pool } from 'pg';
import { isDatabaseAway } from '../database.ts';
import { ensurePartition } from '../upkeep/partitions.ts';
import { type LookRecord, storeLooks } from './look-statement.ts';

/** `stored`: durable now. `overtaken`: somebody else folded first; read again and fold again. */
export type LookWritten = 'stored' | 'overtaken';

/** Where looks are stored. */
export interface LookWriter {
  /** Resolves once the look is durable; rejects if this look's rows can't be stored, or Postgres is away. */
  write(look: LookRecord): Promise<LookWritten>;
}

interface Waiting {
  look: LookRecord;
  resolve(written: LookWritten): void;
  reject(error: unknown): void;
}

const GROUP_WAIT_MS = 5;
const MAX_GROUP_LOOKS = 160;
const DAY_MS = 86_400_000;
const RETRYABLE = new Set(['40001', '40P01']);

/**
 * Groups looks into one statement each (at most ~500 result rows, a few ms of waiting), so that a commit is shared. A
 * group that Postgres refuses is halved until only the offending look fails: one VM's odd bytes stop no other's. The
 * pool's own statement timeout bounds a write.
 */
export function createLookWriter(pool: Pool): LookWriter {
  let waiting: Waiting[] = [];
  let writing = false;
  let timer: NodeJS.Timeout | null = null;

  async function flush(): Promise<void> {
    timer = null;
    writing = true;
    while (waiting.length > 0) {
      const group = waiting.splice(0, MAX_GROUP_LOOKS).toSorted((a, b) => (a.look.vmId < b.look.vmId ? -1 : 1));
      await settle(pool, group);
    }
    writing = false;
  }

  return {
    write(look) {
      return new Promise((resolve, reject) => {
        waiting.push({ look, resolve, reject });
        if (!writing && timer === null) timer = setTimeout(() => void flush(), GROUP_WAIT_MS);
      });
    },
  };
}

/** Never rejects: every waiting look gets its own answer. */
async function settle(pool: Pool, group: Waiting[], partitionsMade = false): Promise<void> {
  try {
    const stored = await storeLooks(
      pool,
      group.map((one) => one.look),
    );
    for (const { look, resolve } of group) resolve(stored.has(look.vmId) ? 'stored' : 'overtaken');
  } catch (error) {
    if (isDatabaseAway(error)) for (const { reject } of group) reject(error);
    else if (isRetryable(error)) await settle(pool, group, partitionsMade);
    else if (isMissingPartition(error) && !partitionsMade) {
      await makePartitions(pool, group);
      await settle(pool, group, true);
    } else if (group.length === 1) group[0]?.reject(error);
    else {
      const half = group.length >> 1;
      await settle(pool, group.slice(0, half), partitionsMade);
      await settle(pool, group.slice(half), partitionsMade);
    }
  }
}

function isMissingPartition(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === '23514' && /no partition/.test(error.message);
}

function isRetryable(error: unknown): boolean {
  return error instanceof Error && 'code' in error && RETRYABLE.has(String(error.code));
}

/** Makes the days these looks are for. One that can't be made shows as the failure of the looks that need it. */
async function makePartitions(pool: Pool, group: Waiting[]): Promise<void> {
  const days = new Set(group.flatMap(({ look }) => look.folded.map((one) => Math.floor(one.dueAtMs / DAY_MS))));
  for (const day of days) await ensurePartition(pool, 'check_results', day * DAY_MS).catch(() => undefined);
}
