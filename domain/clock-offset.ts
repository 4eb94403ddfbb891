/** A time read from another clock, and the own clock before and after reading it; epoch ms. */
export interface ClockReading {
  otherMs: number;
  askedAtMs: number;
  answeredAtMs: number;
}

/** Clocks of machines may differ by this much: nothing here needs them to agree better. */
const TOLERANCE_MS = 2_000;

/** How far the own clock is behind the other, ms; negative = ahead; 0 within the tolerance. */
export function clockOffset({ otherMs, askedAtMs, answeredAtMs }: ClockReading): number {
  const nearestMs = Math.min(Math.max(otherMs, askedAtMs), Math.max(askedAtMs, answeredAtMs));
  const offsetMs = otherMs - nearestMs;
  return Math.abs(offsetMs) > TOLERANCE_MS ? offsetMs : 0;
}
