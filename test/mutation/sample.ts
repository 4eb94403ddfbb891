import { drawFrom } from '../support/draw.ts';

/** So many of these, drawn by a seed: the same ones every time. */
export function sampled<T>(all: readonly T[], count: number, seed: number): T[] {
  const draw = drawFrom(seed);
  const left = [...all];
  return Array.from({ length: Math.min(count, all.length) }, () => {
    const [drawn] = left.splice(draw.upTo(left.length), 1);
    return drawn as T;
  });
}
