import DataLoader from 'dataloader';
import { LRUCache } from 'lru-cache';

const GATHER_MS = 4;
const MAX_GROUP = 1_000;
const KEEP_MS = 2_000;
const MAX_KEPT = 10_000;

/**
 * Turns single reads by key into group reads: those of a few milliseconds share one. Null where nothing was found; rejects as
 * `read` does.
 */
export function groupedReads<T>(
  read: (keys: readonly string[]) => Promise<ReadonlyMap<string, T>>,
): (key: string) => Promise<T | null> {
  const loader = new DataLoader<string, T | null>(
    async (keys) => {
      const found = await read(keys);
      return keys.map((key) => found.get(key) ?? null);
    },
    { cache: false, maxBatchSize: MAX_GROUP, batchScheduleFn: (send) => setTimeout(send, GATHER_MS) },
  );
  return (key) => loader.load(key);
}

/** Reads by key whose answers are kept for 2 s, by this clock. A read that fails rejects as `read` does and is not kept. */
export function keptReads<T extends object>(
  read: (key: string) => Promise<T>,
  now: () => number,
): (key: string) => Promise<T> {
  const cache = new LRUCache<string, T>({
    max: MAX_KEPT,
    ttl: KEEP_MS,
    // in virtual time, what is kept has to grow old as the rest of the world does
    perf: { now },
    ttlResolution: 0,
    // one that is put out for others while it is read is still an answer
    ignoreFetchAbort: true,
    fetchMethod: (key) => read(key),
  });
  return (key) => cache.forceFetch(key);
}
