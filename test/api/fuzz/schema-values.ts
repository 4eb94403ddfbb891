import fc from 'fast-check';
import { z } from 'zod';
import { oddJson, oddNumber } from './odd.ts';

/** Texts for the field of a name; the schema knows only that they are text. */
export type TextFor = (field: string, maxLength: number) => fc.Arbitrary<string>;

type Schema = z.core.JSONSchema.BaseSchema;

const MAX_LENGTH = 60;
const MAX_ELEMENTS = 3;

/** Values that a zod schema takes, each part of them now and then another value. */
export function valuesOf(schema: z.ZodType, textFor: TextFor): fc.Arbitrary<unknown> {
  return valueOf(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }), '', textFor);
}

function valueOf(schema: Schema, field: string, textFor: TextFor): fc.Arbitrary<unknown> {
  const usual = usualValueOf(schema, field, textFor);
  return fc.oneof({ weight: 150, arbitrary: usual }, { weight: 1, arbitrary: oddJson });
}

function usualValueOf(schema: Schema, field: string, textFor: TextFor): fc.Arbitrary<unknown> {
  const inner = (of: unknown, name = field) => valueOf(of as Schema, name, textFor);
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) return fc.oneof(...choices.map((one) => inner(one)));
  if (Array.isArray(schema.type)) return fc.oneof(...schema.type.map((type) => inner({ ...schema, type })));
  switch (schema.type) {
    case 'object':
      return objectOf(schema, inner, textFor(field, MAX_LENGTH));
    case 'array':
      return fc.array(inner(schema.items), { maxLength: Math.min(schema.maxItems ?? MAX_ELEMENTS, MAX_ELEMENTS) });
    case 'string':
      return textOf(schema, field, textFor);
    case 'integer':
      return numberOf(schema, fc.integer(boundsOf(schema)));
    case 'number':
      return numberOf(schema, fc.double({ ...boundsOf(schema), noNaN: true }));
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    default:
      return oddJson;
  }
}

function objectOf(
  schema: Schema,
  inner: (of: unknown, name?: string) => fc.Arbitrary<unknown>,
  key: fc.Arbitrary<string>,
): fc.Arbitrary<unknown> {
  const { properties = {}, required = [], additionalProperties } = schema;
  const names = Object.keys(properties);
  if (names.length === 0) return fc.dictionary(key, inner(additionalProperties), { maxKeys: 3 });
  const fields = Object.fromEntries(
    names.map((name) => [
      name,
      required.includes(name) ? inner(properties[name], name) : seldom(inner(properties[name], name)),
    ]),
  );
  return fc.oneof(
    { weight: 60, arbitrary: fc.record(fields) },
    { weight: 1, arbitrary: fc.record(fields, { requiredKeys: [] }) },
    { weight: 1, arbitrary: fc.record({ ...fields, another: oddJson }) },
  );
}

/** Absent more often than not: with all of many fields set, one of them is nearly always refused. */
function seldom(value: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value });
}

function textOf({ pattern, maxLength = MAX_LENGTH }: Schema, field: string, textFor: TextFor): fc.Arbitrary<string> {
  const usual = textFor(field, Math.min(maxLength, MAX_LENGTH));
  // the pattern that only leaves out control characters
  if (pattern === undefined || pattern.includes('\\u0000')) return usual;
  return fc.oneof(usual, fc.stringMatching(new RegExp(pattern)));
}

function numberOf(schema: Schema, within: fc.Arbitrary<number>): fc.Arbitrary<number> {
  const { min, max } = boundsOf(schema);
  return fc.oneof(
    { weight: 30, arbitrary: within },
    { weight: 4, arbitrary: fc.constantFrom(min, max) },
    { weight: 1, arbitrary: fc.oneof(oddNumber, fc.constantFrom(min - 1, max + 1)) },
  );
}

function boundsOf({ minimum = 0, maximum = 100 }: Schema): { min: number; max: number } {
  return { min: minimum, max: maximum };
}
