import { momentInWords } from './duration-words.ts';

/*
 * What the lists and event rows of Temporal's Web UI say. Names, verdicts and reasons only: whoever may see a list may read them.
 */

/** Temporal refuses a summary of more than 400 bytes, and with it the start or the workflow task that it belongs to. */
export const MAX_SUMMARY_BYTES = 200;
const ELLIPSIS = '…';
const ELLIPSIS_BYTES = 3;

/** A text as one line that fits into a summary; what is too much is left out at its end. */
export function asSummary(text: string, maxBytes = MAX_SUMMARY_BYTES): string {
  const line = text.replace(/\s+/g, ' ').trim();
  let bytes = 0;
  let kept = '';
  for (const character of line) {
    bytes += bytesOf(character);
    if (bytes > maxBytes) return `${kept}${ELLIPSIS}`;
    if (bytes <= maxBytes - ELLIPSIS_BYTES) kept += character;
  }
  return line;
}

/** In UTF-8. */
function bytesOf(character: string): number {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x80) return 1;
  if (code < 0x800) return 2;
  return code < 0x10000 ? 3 : 4;
}

const MAX_NAME_BYTES = 100;

/** Of workflow `vm/<vmId>`: its VM's name, as it was when the workflow was started, and what it is for. */
export function vmSummary(name: string): string {
  return `${asSummary(name, MAX_NAME_BYTES)}: health and healing`;
}

/** Of workflow `heal/<vmId>/<incident>`. */
export function healSummary(name: string | null, incident: number): string {
  const what = `heals incident ${incident}`;
  return name === null ? what : `${asSummary(name, MAX_NAME_BYTES)}: ${what}`;
}

/** What is known of a VM before a look. */
export interface LastVerdict {
  status: string;
  /** What the last news found, as `lookLine` writes it. */
  line: string;
  /** Since when it has that status, epoch ms; null = not known. */
  sinceMs: number | null;
  /** Whether a remedy is being judged, so that looks come every few seconds. */
  watchedClosely: boolean;
}

const WORDS: Readonly<Record<string, string>> = { unhealthy: 'ill' };

/** Of a VM's looks, until there is news: what was seen last, as in `ill since 02:41 UTC: http timeout (2s)`. */
export function lookSummary({ status, line, sinceMs, watchedClosely }: LastVerdict, nowMs: number): string {
  const closely = watchedClosely ? ' · looks closely: a remedy was tried' : '';
  return asSummary(`${verdict(status, line, sinceMs, nowMs)}${closely}`);
}

function verdict(status: string, line: string, sinceMs: number | null, nowMs: number): string {
  const [first, ...seen] = line.split(' · ');
  // what says nothing of a status stands for itself: `not looked at yet`, `look failed: …`
  if (first !== status) return line;
  const since = sinceMs === null ? '' : ` since ${momentInWords(sinceMs, nowMs)}`;
  const what = seen.length === 0 ? '' : `: ${seen.join(' · ')}`;
  return `${WORDS[status] ?? status}${since}${what}`;
}
