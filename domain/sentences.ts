/** An instant as sentences name it. */
export function iso(ms: number): string {
  return new Date(ms).toISOString();
}

/** A sentence that goes on: without its full stop. */
export function withoutStop(text: string): string {
  return text.replace(/\.$/, '');
}

const INSTANT = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g;

/** Whether a sentence names a time, as `iso` writes it, that has passed. */
export function namesPastTime(text: string, nowMs: number): boolean {
  return (text.match(INSTANT) ?? []).some((instant) => Date.parse(instant) < nowMs);
}
