import type { Pool } from 'pg';
import { concernsServer, type DatabaseAway, type DatabaseTrouble } from '../database-trouble.ts';
import type { LookRecord } from './look-statement.ts';
import { type LookStore, type LookWritten, storeGroup, type WaitingLook } from './store-group.ts';

/** Where looks are stored. */
export interface LookWriter {
  /**
   * Resolves once the look is durable. Rejects with Postgres's trouble (`databaseTrouble`) when it may be stored later as it is,
   * with any other error when this look's rows can't be stored at all.
   */
  write(look: LookRecord): Promise<LookWritten>;
}

/** Receives for each group the trouble that kept it from being stored; null = it was stored. */
export type HearOfGroup = (trouble: DatabaseTrouble | null, error?: unknown) => void;

interface Waiting extends WaitingLook {
  sinceMs: number;
}

/** At most this many groups are written at once: the pool needs as many connections, and one more for partitions. */
export const MAX_LANES = 4;

const GROUP_WAIT_MS = 5;
const MAX_GROUP_LOOKS = 160;
/** When a group takes longer than this, another is written beside it; until then it is cheaper to wait and share a commit. */
const SLOW_MS = 250;
/** A look that has waited this long when a group fails is rejected with it. */
const MAX_WAIT_MS = 3_000;

/**
 * Groups looks into one statement each (at most ~500 result rows, a few ms of waiting), so that a commit is shared. One group
 * at a time while they are quick; while one hangs, others are written beside it. Rows of one VM that Postgres refuses keep no
 * other VM's from being stored. Two looks of one VM are never written at once.
 */
export function createLookWriter(
  pool: Pool,
  hear: HearOfGroup = () => undefined,
  hearTime: LookStore['hearTime'] = () => undefined,
): LookWriter {
  const store: LookStore = { pool, hearTime };
  let waiting: Waiting[] = [];
  let timer: NodeJS.Timeout | null = null;
  /** VMs whose looks are being written. */
  const busy = new Set<string>();
  let lanes = 0;
  let slowLanes = 0;
  let maxLooks = MAX_GROUP_LOOKS;

  return {
    write(look) {
      return new Promise((resolve, reject) => {
        waiting.push({ look, sinceMs: performance.now(), resolve, reject });
        if (timer === null && isLaneFree()) timer = setTimeout(startLanes, GROUP_WAIT_MS);
      });
    },
  };

  function isLaneFree(): boolean {
    return lanes === slowLanes && lanes < MAX_LANES;
  }

  function startLanes(): void {
    timer = null;
    while (isLaneFree()) {
      const group = takeGroup();
      if (group.length === 0) return;
      void write(group);
    }
  }

  /** The looks that have waited longest: one per VM, of VMs that are not being written. */
  function takeGroup(): Waiting[] {
    const group: Waiting[] = [];
    const left: Waiting[] = [];
    for (const one of waiting) {
      if (group.length === maxLooks || busy.has(one.look.vmId)) left.push(one);
      else {
        busy.add(one.look.vmId);
        group.push(one);
      }
    }
    waiting = left;
    return group.toSorted((a, b) => (a.look.vmId < b.look.vmId ? -1 : 1));
  }

  async function write(group: Waiting[]): Promise<void> {
    let isSlow = false;
    const slowness = setTimeout(() => {
      isSlow = true;
      slowLanes++;
      startLanes();
    }, SLOW_MS);
    lanes++;
    const failure = await storeGroup(store, group);
    clearTimeout(slowness);
    lanes--;
    if (isSlow) slowLanes--;
    for (const { look } of group) busy.delete(look.vmId);
    learn(group.length, failure);
    hear(failure?.trouble ?? null, failure?.cause);
    if (timer === null) startLanes();
  }

  /**
   * Makes groups smaller when Postgres was too slow for one. Rejects all waiting looks when the server as a whole is in
   * trouble.
   */
  function learn(looks: number, failure: DatabaseAway | null): void {
    if (failure === null) {
      maxLooks = Math.min(MAX_GROUP_LOOKS, maxLooks * 2);
      return;
    }
    if (failure.trouble.reason === 'statement-timeout') maxLooks = Math.max(1, looks >> 1);
    const tooLong = performance.now() - MAX_WAIT_MS;
    const isHopeless = (one: Waiting) => concernsServer(failure.trouble) || one.sinceMs < tooLong;
    for (const one of waiting) if (isHopeless(one)) one.reject(failure);
    waiting = waiting.filter((one) => !isHopeless(one));
  }
}
