import { backoffMs } from '../backoff.ts';
import type { Guard } from './guard.ts';

const MINUTE_MS = 60_000;

/**
 * Its disks failed, and its hypervisor stopped it: a reset would lose its memory and repair nothing. It is resumed from time to
 * time, because it runs on once its disks answer.
 */
export const storageFailed: Guard = {
  reason: 'storage-failed',
  objectionTo({ facts: { powerReading, resumesInVain }, remedy }, nowMs) {
    if (remedy.cause !== 'storage-failed') return null;
    const lastAtMs = resumesInVain?.lastAtMs ?? powerReading?.sinceMs ?? nowMs;
    const nextAtMs = lastAtMs + backoffMs(resumesInVain?.count ?? 0, MINUTE_MS, 30 * MINUTE_MS);
    if (nextAtMs <= nowMs) return null;
    return {
      reason: 'storage-failed',
      sentence: 'its storage failed, and a reset would not repair that',
      wouldChange: `its disks answering; it is resumed as a trial at ${new Date(nextAtMs).toISOString()}`,
      lookAgainInMs: Math.min(MINUTE_MS, nextAtMs - nowMs),
    };
  },
};
