/** 10000-01-01: from there on years have more than four digits, which ISO 8601 takes only by agreement. */
const END_MS = 253_402_300_800_000;

/** Seconds stay below this until the year 5138, milliseconds are above it since 1973. */
const FIRST_MILLISECONDS = 1e11;

const EPOCH = /^\d{9,}(\.\d+)?$/;
const ISO =
  /^(?<date>\d{4}-\d\d-\d\d)[T ](?<minute>\d\d:\d\d)(:(?<second>\d\d)([.,](?<fraction>\d{1,9}))?)?(Z|(?<sign>[+-])(?<hours>[01]\d|2[0-3])(:?(?<minutes>[0-5]\d))?)$/i;

/** How an instant may be written, for whoever wrote it in another way. */
export const INSTANT_IN_WORDS =
  'must be an instant: ISO 8601 with its zone, such as 2026-11-22T08:00:00Z, or epoch seconds or milliseconds';

/** Whether a number of epoch ms is an instant that ISO 8601 and Postgres can hold: from 1970 to the year 9999. */
export function isInstant(ms: number): boolean {
  return ms >= 0 && ms < END_MS;
}

/**
 * Reads an instant as epoch ms: ISO 8601 with date, time and zone (RFC 3339, or seconds left out), or epoch seconds or
 * milliseconds, as number or as text of at least nine digits. Null for anything else: for times without a zone, which are
 * another instant on each machine, and for days that no calendar has.
 */
export function readInstant(given: string | number): number | null {
  if (typeof given === 'number') return fromEpoch(given);
  return EPOCH.test(given) ? fromEpoch(Number(given)) : fromIso(given);
}

function fromEpoch(number: number): number | null {
  const ms = Math.round(number < FIRST_MILLISECONDS ? number * 1000 : number);
  return isInstant(ms) ? ms : null;
}

function fromIso(text: string): number | null {
  const parts = ISO.exec(text)?.groups;
  if (parts === undefined) return null;
  const { date, minute, second = '00', fraction = '', sign, hours = '0', minutes = '0' } = parts;
  const local = `${date}T${minute}:${second}`;
  const localMs = Date.parse(`${local}Z`);
  // JavaScript reads February 31 as March 3
  if (Number.isNaN(localMs) || !new Date(localMs).toISOString().startsWith(local)) return null;
  const offsetMs = (Number(hours) * 60 + Number(minutes)) * 60_000;
  const ms = localMs + Number(fraction.padEnd(3, '0').slice(0, 3)) - (sign === '-' ? -offsetMs : offsetMs);
  return isInstant(ms) ? ms : null;
}
