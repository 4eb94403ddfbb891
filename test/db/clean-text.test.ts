import fc from 'fast-check';
import { Client } from 'pg';
import { afterAll, describe, expect, it } from 'vitest';
import { cleanJson, cleanText } from '../../db/clean-text.ts';
import type { JsonValue } from '../../domain/json-value.ts';
import { createTestDatabase } from '../support/postgres.ts';

/** Any UTF-16 at all: NUL and lone surrogates more often than chance would have it. */
const anyText = fc
  .array(fc.oneof(fc.integer({ min: 0, max: 0xffff }), fc.constantFrom(0, 0xd800, 0xdc00, 0xdfff, 0x41)), {
    maxLength: 20,
  })
  .map((units) => String.fromCharCode(...units));
const anyJson = fc.letrec<{ value: JsonValue; leaf: JsonValue }>((tie) => ({
  leaf: fc.oneof(anyText, fc.double(), fc.boolean(), fc.constant(null)),
  value: fc.oneof(
    { maxDepth: 4 },
    tie('leaf'),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(anyText, tie('value'), { maxKeys: 4 }),
  ),
})).value;

const database = await createTestDatabase();
const client = new Client({ connectionString: database.url });
await client.connect();
afterAll(async () => {
  await client.end();
  await database.drop();
});

describe('cleaned text', () => {
  it.each([
    ['a\u0000b', 'ab'],
    ['\u0000', ''],
    ['half \ud83d a face', 'half \ufffd a face'],
    ['\udc00', '\ufffd'],
    ['a whole 😀', 'a whole 😀'],
    ['lines\n\tand\u0001controls', 'lines\n\tand\u0001controls'],
  ])('of %j is %j', (text, cleaned) => {
    expect(cleanText(text)).toBe(cleaned);
  });

  it('of any text is stored by Postgres as it is, as text and within JSON', async () => {
    await fc.assert(
      fc.asyncProperty(anyText, async (text) => {
        const cleaned = cleanText(text);
        const sql = 'SELECT $1::text AS text, $2::jsonb AS json';
        const { rows } = await client.query(sql, [cleaned, JSON.stringify({ [cleaned]: cleaned })]);
        expect(rows).toEqual([{ text: cleaned, json: { [cleaned]: cleaned } }]);
      }),
      { numRuns: 200 },
    );
  });

  it('stays as it is when it is clean already', () => {
    fc.assert(
      fc.property(anyText, fc.string({ unit: 'grapheme' }), (odd, ordinary) => {
        expect(cleanText(cleanText(odd))).toBe(cleanText(odd));
        expect(cleanText(ordinary.replaceAll('\u0000', ''))).toBe(ordinary.replaceAll('\u0000', ''));
      }),
    );
  });
});

describe('cleaned JSON', () => {
  it('has clean keys and values at any depth, and no number that JSON lacks', () => {
    const odd = { 'k\u0000': ['\ud800', { deep: 'a\u0000' }], n: Number.NaN, i: Number.POSITIVE_INFINITY, zero: 0 };
    expect(cleanJson(odd)).toEqual({ k: ['\ufffd', { deep: 'a' }], n: null, i: null, zero: 0 });
  });

  it('keeps a key named __proto__ a key', () => {
    const cleaned = cleanJson(JSON.parse('{"__proto__": {"a\\u0000": 1}}') as JsonValue);
    expect(JSON.stringify(cleaned)).toBe('{"__proto__":{"a":1}}');
  });

  it('of any value is stored by Postgres and comes back the same', async () => {
    await fc.assert(
      fc.asyncProperty(anyJson, async (value) => {
        const text = JSON.stringify(cleanJson(value));
        const { rows } = await client.query<{ json: JsonValue }>('SELECT $1::jsonb AS json', [text]);
        expect(rows[0]?.json).toEqual(JSON.parse(text));
      }),
      { numRuns: 200 },
    );
  });
});
