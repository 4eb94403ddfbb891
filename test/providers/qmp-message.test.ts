import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LineReader } from '../../providers/qemu/line-reader.ts';
import { parseQmpMessage } from '../../providers/qemu/qmp-message.ts';

describe('a message', () => {
  test.each([
    ['no JSON', 'hello'],
    ['no object', '[1]'],
    ['null', 'null'],
    ['an object that is nothing of QMP', '{"a":1}'],
    ['an event without a name', '{"event":5}'],
    ['a greeting without content', '{"QMP":1}'],
    ['an error without content', '{"error":"no"}'],
  ])('that is %s is no QMP', (_what, line) => {
    expect(parseQmpMessage(line)).toBeNull();
  });

  test('whose description is made to break a reader is read without its words', () => {
    const nested = '['.repeat(20_000) + ']'.repeat(20_000);
    for (const desc of ['{"toString":1,"valueOf":1}', nested, 'null']) {
      expect(parseQmpMessage(`{"error":{"desc":${desc}}}`)).toMatchObject({ kind: 'error', description: 'no words' });
    }
  });

  test('has its words cleaned for storing and cut', () => {
    const error = parseQmpMessage(JSON.stringify({ error: { desc: `a\u0000b\n\ud800c${'😀'.repeat(300)}` } }));
    expect(error).toMatchObject({ kind: 'error', description: expect.stringMatching(/^a b c(😀)+$/u) });
  });

  test('may be anything without the reader throwing', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (line) => void parseQmpMessage(line)));
  });
});

describe('lines', () => {
  test('are the same however the bytes were cut', () => {
    const line = fc.string({ unit: 'binary', minLength: 1 }).map((text) => text.replace(/\s/g, '_'));
    fc.assert(
      fc.property(fc.array(line), fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (lines, sizes) => {
        const bytes = Buffer.from(lines.map((text) => `${text}\r\n`).join(''));
        const reader = new LineReader(10_000, 1_000_000);
        const heard: string[] = [];
        for (let start = 0, turn = 0; start < bytes.length; turn += 1) {
          const end = start + (sizes[turn % sizes.length] ?? 1);
          heard.push(...(reader.take(bytes.subarray(start, end)) ?? []));
          start = end;
        }
        expect(heard).toEqual(lines.map((text) => Buffer.from(text).toString()));
      }),
    );
  });

  test('beyond the bound for one line are refused, finished or not', () => {
    expect(new LineReader(10, 1000).take(Buffer.from('12345678901'))).toBeNull();
    expect(new LineReader(10, 1000).take(Buffer.from('12345678901\n'))).toBeNull();
    expect(new LineReader(10, 1000).take(Buffer.from('1234567890\n'))).toEqual(['1234567890']);
  });

  test('beyond the bound for all are refused, however short', () => {
    const reader = new LineReader(10, 100);
    const answers = Array.from({ length: 11 }, () => reader.take(Buffer.from('123456789\n')));
    expect(answers.slice(0, 10).every((lines) => lines?.length === 1)).toBe(true);
    expect(answers[10]).toBeNull();
  });
});
