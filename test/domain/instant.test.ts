import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isInstant, readInstant } from '../../domain/instant.ts';

const read = (given: string | number) => {
  const ms = readInstant(given);
  return ms === null ? null : new Date(ms).toISOString();
};

describe('An instant', () => {
  it.each([
    ['2026-11-22T08:00:00Z', '2026-11-22T08:00:00.000Z'],
    ['2026-11-22t08:00:00z', '2026-11-22T08:00:00.000Z'],
    ['2026-11-22 08:00:00+00:00', '2026-11-22T08:00:00.000Z'],
    ['2026-11-22T08:00Z', '2026-11-22T08:00:00.000Z'],
    ['2026-11-22T08:00:00.5Z', '2026-11-22T08:00:00.500Z'],
    ['2026-11-22T08:00:00,123456789Z', '2026-11-22T08:00:00.123Z'],
    ['2026-11-22T08:00:00+05:30', '2026-11-22T02:30:00.000Z'],
    ['2026-11-22T08:00:00-0330', '2026-11-22T11:30:00.000Z'],
    ['2026-11-22T08:00:00+01', '2026-11-22T07:00:00.000Z'],
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z'],
    ['1790000000', '2026-09-21T14:13:20.000Z'],
    ['1790000000.25', '2026-09-21T14:13:20.250Z'],
    ['1790000000123', '2026-09-21T14:13:20.123Z'],
    [1_790_000_000, '2026-09-21T14:13:20.000Z'],
    [1_790_000_000_123, '2026-09-21T14:13:20.123Z'],
    [0, '1970-01-01T00:00:00.000Z'],
  ])('may be written as %j', (given, instant) => expect(read(given)).toBe(instant));

  it.each([
    'banana 2027',
    'tomorrow',
    '',
    ' ',
    '2027',
    '20270228',
    '2027-02-28',
    '2027-02-28T08:00:00',
    '2027-02-31T00:00:00Z',
    '2027-02-29T00:00:00Z',
    '2027-13-01T00:00:00Z',
    '2027-00-10T00:00:00Z',
    '2027-01-00T00:00:00Z',
    '2027-01-01T24:00:00Z',
    '2027-01-01T23:60:00Z',
    '2027-01-01T23:59:60Z',
    '2027-01-01T08Z',
    '2027-01-01T08:00:00 01:00',
    '2027-01-01T08:00:00+24:00',
    '2027-01-01T08:00:00+01:60',
    '2027-01-01T08:00:00.Z',
    ' 2027-01-01T08:00:00Z',
    '2027-01-01T08:00:00Z\n',
    '+012027-01-01T08:00:00Z',
    '0000-01-01T00:00:00Z',
    '1969-12-31T23:59:59Z',
    '9999-12-31T23:59:59-01:00',
    'Mon, 22 Nov 2026 08:00:00 GMT',
    '253402300800000',
    '1e12',
    '-1790000000',
    253_402_300_800_000,
    -1,
    Number.NaN,
    Number.POSITIVE_INFINITY,
  ])('is not written as %j', (given) => expect(read(given)).toBeNull());

  it('is read as it was, whatever the zone it is written in', () => {
    const zoneMinutes = fc.integer({ min: -23 * 60, max: 23 * 60 });
    const millisecond = fc.integer({ min: 86_400_000, max: 253_402_214_400_000 });
    fc.assert(
      fc.property(millisecond, zoneMinutes, (ms, minutes) => {
        const local = new Date(ms + minutes * 60_000).toISOString().slice(0, -1);
        const [hours, rest] = [Math.trunc(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
        const zone = `${minutes < 0 ? '-' : '+'}${String(hours).padStart(2, '0')}:${String(rest).padStart(2, '0')}`;
        expect(readInstant(local + zone)).toBe(ms);
        expect(readInstant(local)).toBeNull();
      }),
    );
  });

  it('is none in arbitrary text, or one that Postgres takes', () => {
    const digits = fc.stringMatching(/^[0-9TZ:+. -]{0,30}$/);
    fc.assert(
      fc.property(fc.oneof(digits, fc.string(), fc.double()), (given) => {
        const ms = readInstant(given);
        expect(ms === null || (Number.isInteger(ms) && isInstant(ms))).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });
});
