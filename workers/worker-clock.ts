import { type ClockReading, clockOffset } from '../domain/clock-offset.ts';

/** The time as a worker's looks and heals know it. */
export interface WorkerClock {
  /** Epoch ms. Where the machine's clock is wrong, it goes by the database's. */
  now(): number;
  /** Compares the machine's clock with a time that the database told. */
  hear(reading: ClockReading): void;
}

/** How often a clock that stays wrong is reported. */
const REPORT_EVERY_MS = 60_000;

/**
 * The clock of this process. `report` is told how far the machine's clock is behind, ms, when that is noticed and once a minute
 * while it lasts; and 0 when it is right again.
 */
export function createWorkerClock(
  report: (offsetMs: number) => void,
  machineNow: () => number = Date.now,
): WorkerClock {
  let offsetMs = 0;
  let reportedAtMs = Number.NEGATIVE_INFINITY;
  return {
    now: () => machineNow() + offsetMs,
    hear(reading) {
      const wasWrong = offsetMs !== 0;
      offsetMs = clockOffset(reading);
      const isDue = offsetMs === 0 ? wasWrong : !wasWrong || reading.toldMs >= reportedAtMs + REPORT_EVERY_MS;
      if (!isDue) return;
      reportedAtMs = reading.toldMs;
      report(offsetMs);
    },
  };
}
