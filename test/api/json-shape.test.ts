import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { requireModestShape } from '../../api/json-shape.ts';

const look = (text: string) => requireModestShape(Buffer.from(text));
const fields = (count: number) => JSON.stringify(Object.fromEntries(Array.from({ length: count }, (_, i) => [i, i])));

/** Levels of brackets, counted in the value. */
function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

describe('a body in JSON', () => {
  it('is taken as long as no more than 20 levels deep, and no object of more than 200 fields', () => {
    expect(() => look('['.repeat(20) + ']'.repeat(20))).not.toThrow();
    expect(() => look('{"a":'.repeat(21))).toThrow('nested deeper than 20 levels');
    expect(() => look(`[${fields(200)},${fields(200)},{}]`)).not.toThrow();
    expect(() => look(fields(201))).toThrow('more than 200 fields');
    expect(() => look(`{"a":${fields(150)},${fields(199).slice(1)}`)).not.toThrow();
  });

  it('may have lists of any length, which their schemas bound', () => {
    expect(() => look(JSON.stringify({ list: Array.from({ length: 5_000 }, () => ({ a: 1, b: 2 })) }))).not.toThrow();
  });

  it('is judged by its brackets and commas outside of texts', () => {
    const text = `\\"${'[{,'.repeat(300)}\\\\`;
    expect(() => look(JSON.stringify({ [text]: text, b: [text] }))).not.toThrow();
    expect(() => look(`{"a":"\\\\",${fields(200).slice(1)}`)).toThrow('more than 200 fields');
  });

  it('is refused exactly when its value is deeper than that', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 24, depthSize: 'max' }), (value) => {
        const isDeep = depthOf(value) > 20;
        const looking = () => look(JSON.stringify(value));
        if (isDeep) expect(looking).toThrow('nested deeper');
        else expect(looking).not.toThrow();
      }),
    );
  });

  it('may be anything but JSON, which the parser finds', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          requireModestShape(bytes);
        } catch (error) {
          expect(String(error)).toMatch(/nested deeper|more than 200 fields/);
        }
      }),
    );
  });
});
