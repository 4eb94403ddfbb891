import type { Guard } from './guard.ts';

/** Backups and snapshots pause VMs for a while: only a pause that stays is a fault. */
export const pausedAtHypervisor: Guard = {
  reason: 'paused-at-hypervisor',
  objectionTo({ facts: { powerReading, pausedGraceMs }, remedy }, nowMs) {
    if (remedy.cause !== 'paused') return null;
    const untilMs = (powerReading?.sinceMs ?? nowMs) + pausedGraceMs;
    if (untilMs <= nowMs) return null;
    return {
      reason: 'paused-at-hypervisor',
      sentence: 'it is paused at its hypervisor, perhaps by a backup',
      wouldChange: `its hypervisor letting it run on, or time: it is resumed if it is still paused at ${new Date(untilMs).toISOString()}`,
      lookAgainInMs: Math.min(15_000, untilMs - nowMs),
    };
  },
};
