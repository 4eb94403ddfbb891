import { type ClockReading, clockOffset } from '../domain/clock-offset.ts';

/** The clock of a worker's looks and heals. */
export interface WorkerClock {
  /** Epoch ms; by the database's clock where the machine's is wrong. */
  now(): number;
  /** Compares the machine's clock with a reading of the database's. */
  hear(reading: ClockReading): void;
}

/** How often a clock that stays wrong is reported. */
const REPORT_EVERY_MS = 60_000;

/**
 * The clock of this process. `report` receives by how many ms the machine's clock is behind, when that is noticed and then once
 * a minute; and 0 when it is right again.
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
      const isDue = offsetMs === 0 ? wasWrong : !wasWrong || reading.otherMs >= reportedAtMs + REPORT_EVERY_MS;
      if (!isDue) return;
      reportedAtMs = reading.otherMs;
      report(offsetMs);
    },
  };
}
