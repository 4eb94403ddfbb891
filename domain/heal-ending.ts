import { durationInWords } from './duration-words.ts';

/** The last remedy of a heal that was carried out. */
export interface CarriedOutRemedy {
  /** The power action, as in `reset`. */
  what: string;
  /** Null where the decision did not say. */
  attempt: number | null;
  carriedOutAtMs: number;
  /** What came of it: looks have shown that it helped, or not in its time; null = neither is known. */
  judged: { helped: boolean; atMs: number } | null;
}

/** How a heal ended, as its workflow answers it: what helped and how long it took, or why it is over. */
export function healEnding(
  { reason, line }: { reason: string; line: string },
  remedy: CarriedOutRemedy | null,
  beganAtMs: number,
  nowMs: number,
): string {
  if (reason !== 'recovered') return line;
  if (remedy === null) return `recovered by itself, ${durationInWords(nowMs - beganAtMs)} after this heal began`;
  const { carriedOutAtMs, judged } = remedy;
  const recoveredAtMs = judged?.helped ? judged.atMs : nowMs;
  const late = judged?.helped === false ? ', which had not helped in its time' : '';
  return `recovered ${durationInWords(recoveredAtMs - carriedOutAtMs)} after ${remedyInWords(remedy)}${late}`;
}

/** A remedy as people read it: `reset (attempt 1)`. */
export function remedyInWords({ what, attempt }: Pick<CarriedOutRemedy, 'what' | 'attempt'>): string {
  return attempt === null ? what : `${what} (attempt ${attempt})`;
}
