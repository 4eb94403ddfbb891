/** So many of these, drawn by a seed: the same ones every time. */
export function sampled<T>(all: readonly T[], count: number, seed: number): T[] {
  const random = randomBy(seed);
  const left = [...all];
  return Array.from({ length: Math.min(count, all.length) }, () => {
    const [drawn] = left.splice(Math.floor(random() * left.length), 1);
    return drawn as T;
  });
}

/** Mulberry32: numbers from 0 up to 1, the same for the same seed. */
function randomBy(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
