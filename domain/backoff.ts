/** `firstMs` doubled with every try after the first, and at most `maxMs`. */
export function backoffMs(tries: number, firstMs: number, maxMs: number): number {
  return Math.min(maxMs, firstMs * 2 ** Math.min(tries, 32));
}
