/** Draws at random, the same from the same seed. */
export interface Draw {
  /** From 0 to below `count`. */
  upTo(count: number): number;
  chance(probability: number): boolean;
  among<T>(items: readonly T[]): T;
  /** As times between events that don't know of each other, with this mean. */
  exponential(mean: number): number;
}

/** Mulberry32, by Tommy Ettinger (public domain): fast, and good enough to spread faults. */
export function drawFrom(seed: number): Draw {
  let state = seed >>> 0;
  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
  const upTo = (count: number): number => Math.floor(next() * count);
  return {
    upTo,
    chance: (probability) => next() < probability,
    among: (items) => items[upTo(items.length)]!,
    exponential: (mean) => -mean * Math.log(1 - next()),
  };
}
