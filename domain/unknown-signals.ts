import { momentInWords } from './duration-words.ts';

/** A signal that no handler knows, by its name alone: what came with it may be a secret that was sent to the wrong place. */
export interface UnknownSignal {
  name: string;
  times: number;
  lastAtMs: number;
}

const MAX_NAMES = 5;
const MAX_NAME_LENGTH = 60;
/** Stands for all further names. */
const OTHERS = 'others';

/** The list with one more such signal; it never holds more than a few names. */
export function withUnknownSignal(known: readonly UnknownSignal[], given: string, nowMs: number): UnknownSignal[] {
  const name = legible(given);
  const counted = known.map((one) => (one.name === name ? { ...one, times: one.times + 1, lastAtMs: nowMs } : one));
  if (known.some((one) => one.name === name)) return counted;
  if (known.length >= MAX_NAMES && name !== OTHERS) return withUnknownSignal(known, OTHERS, nowMs);
  return [...counted, { name, times: 1, lastAtMs: nowMs }];
}

/** What people are shown of them; null = there are none. `known` are the names that the workflow understands. */
export function unknownSignalsWarning(
  signals: readonly UnknownSignal[],
  known: readonly string[],
  nowMs: number,
): string | null {
  if (signals.length === 0) return null;
  const listed = signals.map(({ name, times, lastAtMs }) => {
    const when = momentInWords(lastAtMs, nowMs);
    return times === 1 ? `\`${name}\` at ${when}` : `\`${name}\` (${times} times, last at ${when})`;
  });
  return `**warning**: signals that this workflow does not know were ignored: ${listed.join(', ')}. It knows ${known.join(', ')}.`;
}

/** Short, and without what the Web UI would take for markup. */
function legible(name: string): string {
  return name.slice(0, MAX_NAME_LENGTH).replace(/[^\w .:/-]/g, '?');
}
