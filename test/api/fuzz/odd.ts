import fc from 'fast-check';

const ODD_TEXTS = [
  '',
  ' ',
  '\u0000',
  'a\u0000b',
  '\ud800',
  'a\udfffb',
  '\ufffe\uffff',
  '\u202e\u200d💥',
  '..',
  '../../etc/passwd',
  '%00',
  '%',
  '-1',
  '1e999',
  'NaN',
  'null',
  '__proto__',
  'constructor',
  "'; DROP TABLE vms; --",
  '{}',
  '9223372036854775808',
  'x'.repeat(300),
  'ß'.repeat(300),
];

/** Text that somebody might not have thought of. */
export const oddText: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...ODD_TEXTS),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ unit: 'grapheme', maxLength: 40 }),
);

/** Numbers beyond what some type holds. */
export const oddNumber: fc.Arbitrary<number> = fc.oneof(
  fc.constantFrom(0, -1, 0.5, 2 ** 31, 2 ** 32, 2 ** 53 - 1, 2 ** 63, 8.64e15 + 1, 253_402_300_800_000, 1e308, 5e-324),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
);

const oddKey = fc.oneof(fc.constantFrom('', '__proto__', 'id', 'a.b', '0', 'toString', 'a\u0000'), oddText);

/** Any JSON value. */
export const oddJson: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    { weight: 4, arbitrary: fc.oneof(oddText, oddNumber, fc.boolean(), fc.constant(null)) },
    { weight: 1, arbitrary: fc.array(tie('value'), { maxLength: 4 }) },
    { weight: 1, arbitrary: fc.dictionary(oddKey, tie('value'), { maxKeys: 4 }) },
  ),
})).value;
