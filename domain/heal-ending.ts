import { durationInWords } from './duration-words.ts';

/** The last remedy of a heal that was carried out. */
export interface CarriedOutRemedy {
  /** The power action, as in `reset`. */
  what: string;
  /** Null where the decision did not say. */
  attempt: number | null;
  carriedOutAtMs: number;
  /** When looks had shown that it helped; null = they have not. */
  helpedAtMs: number | null;
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
  const { what, attempt, carriedOutAtMs, helpedAtMs } = remedy;
  const which = attempt === null ? what : `${what} (attempt ${attempt})`;
  if (helpedAtMs !== null) return `recovered ${durationInWords(helpedAtMs - carriedOutAtMs)} after ${which}`;
  return `recovered ${durationInWords(nowMs - carriedOutAtMs)} after ${which}, later than its time to help`;
}
