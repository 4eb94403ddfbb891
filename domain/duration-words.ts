const MINUTE_S = 60;
const HOUR_S = 3_600;
const DAY_S = 86_400;

/** A duration as people read it, in its two largest units at most: `38 s`, `12 min`, `5 h 3 min`, `2 d 4 h`. */
export function durationInWords(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 2 * MINUTE_S) return `${seconds} s`;
  if (seconds < 2 * HOUR_S) return `${Math.floor(seconds / MINUTE_S)} min`;
  if (seconds < 2 * DAY_S) return inTwo(seconds, HOUR_S, 'h', MINUTE_S, 'min');
  return inTwo(seconds, DAY_S, 'd', HOUR_S, 'h');
}

function inTwo(seconds: number, large: number, largeUnit: string, small: number, smallUnit: string): string {
  const rest = Math.floor((seconds % large) / small);
  const first = `${Math.floor(seconds / large)} ${largeUnit}`;
  return rest === 0 ? first : `${first} ${rest} ${smallUnit}`;
}

/** A moment as people read it beside others of the same day: `02:41 UTC`; with its date where that is another. */
export function momentInWords(atMs: number, nowMs: number): string {
  const [date = '', time = ''] = new Date(atMs).toISOString().split('T');
  const clock = `${time.slice(0, 5)} UTC`;
  return new Date(nowMs).toISOString().startsWith(date) ? clock : `${date} ${clock}`;
}
