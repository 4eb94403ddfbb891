import { DUMP_MS } from '../power-reading.ts';
import type { Guard } from './guard.ts';

/** Its guest has crashed and writes the dump that tells why. */
export const crashDump: Guard = {
  reason: 'crash-dump',
  objectionTo({ facts: { powerReading }, remedy }, nowMs) {
    if (remedy.kind !== 'power' || powerReading?.state !== 'dumping') return null;
    const untilMs = powerReading.sinceMs + DUMP_MS;
    if (untilMs <= nowMs) return null;
    return {
      reason: 'crash-dump',
      sentence: 'its guest has crashed and writes its crash dump',
      wouldChange: `time: it may be reset at ${new Date(untilMs).toISOString()}`,
      lookAgainInMs: Math.min(60_000, untilMs - nowMs),
    };
  },
};
