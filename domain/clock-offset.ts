/** A time that another clock told, and what the own clock said before it was asked and after it answered; epoch ms. */
export interface ClockReading {
  toldMs: number;
  askedAtMs: number;
  answeredAtMs: number;
}

/** Within this, clocks of machines may differ: nothing here depends on less. */
const TOLERANCE_MS = 2_000;

/** How far the own clock is behind the other, ms; negative = ahead; 0 within the tolerance. */
export function clockOffset({ toldMs, askedAtMs, answeredAtMs }: ClockReading): number {
  const nearestMs = Math.min(Math.max(toldMs, askedAtMs), Math.max(askedAtMs, answeredAtMs));
  const offsetMs = toldMs - nearestMs;
  return Math.abs(offsetMs) > TOLERANCE_MS ? offsetMs : 0;
}
