import { expect, it } from 'vitest';
import { durationInWords, momentInWords } from '../../domain/duration-words.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

it.each([
  [-5, '0 s'],
  [0, '0 s'],
  [499, '0 s'],
  [37_600, '38 s'],
  [119 * SECOND, '119 s'],
  [2 * MINUTE, '2 min'],
  [119 * MINUTE + 59 * SECOND, '119 min'],
  [2 * HOUR, '2 h'],
  [5 * HOUR + 3 * MINUTE, '5 h 3 min'],
  [2 * DAY, '2 d'],
  [2 * DAY + 4 * HOUR, '2 d 4 h'],
])('a duration of %i ms reads "%s"', (ms, words) => {
  expect(durationInWords(ms)).toBe(words);
});

it('a moment of the same day is told by its time, another one by its date too', () => {
  const atMs = Date.parse('2026-11-24T02:41:59Z');
  expect(momentInWords(atMs, Date.parse('2026-11-24T23:59:59Z'))).toBe('02:41 UTC');
  expect(momentInWords(atMs, Date.parse('2026-11-25T00:00:00Z'))).toBe('2026-11-24 02:41 UTC');
});
