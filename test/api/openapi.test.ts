import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { describeApi } from '../../local/describe-api.ts';
import { type ApiUnderTest, startApiUnderTest } from './api-under-test.ts';
import { type Content, contentsOf, type OpenApiDocument, operationsOf, type Schema } from './openapi-document.ts';
import { withoutTemporal } from './without-temporal.ts';

let api: ApiUnderTest;
let document: OpenApiDocument;
beforeAll(async () => {
  api = await startApiUnderTest({ temporal: withoutTemporal });
  document = (await api.call('GET', '/openapi.json')).body;
});
afterAll(() => api.close());

describe('The OpenAPI document', () => {
  it('is the one that `npm run check:openapi` lints', () => {
    expect(JSON.parse(JSON.stringify(describeApi()))).toEqual(document);
  });

  it('has every endpoint, and GET /health without a token', () => {
    const described = operationsOf(document).map(({ method, path }) => `${method} ${path}`);
    const served = api.endpoints.map(({ method, path }) => {
      return `${method.toUpperCase()} ${path.replaceAll(/:(\w+)/g, '{$1}')}`;
    });
    expect(described.toSorted()).toEqual([...served, 'GET /health'].toSorted());
    const open = operationsOf(document).filter(({ operation }) => operation.security?.length === 0);
    expect(open.map(({ path }) => path)).toEqual(['/health']);
  });

  it('describes what GET /health answers', async () => {
    const { status, body } = await api.call('GET', '/health', undefined, { token: null });
    const { responses } = document.paths['/health']!['get']!;
    expect(responses[status]?.content['application/json']?.example).toEqual(body);
  });

  it('marks what is under /api/cloud-pods, and nothing else, as the twin of the operation under /api/vms', () => {
    const byId = new Map(operationsOf(document).map((one) => [one.operation.operationId, one]));
    for (const { method, path, operation } of operationsOf(document)) {
      const twin = byId.get(operation['x-twin-of'] ?? '');
      expect(twin !== undefined, path).toBe(path.startsWith('/api/cloud-pods/'));
      if (twin === undefined) continue;
      expect(twin.method).toBe(method);
      expect(twin.path).toBe(path.replace('/api/cloud-pods/', '/api/vms/'));
      expect(operation.operationId).toBe(`${twin.operation.operationId}OfPod`);
      expect(operation.description).toContain(`Compatible twin of ${twin.method} ${twin.path}.`);
      expect(operation.tags).toEqual(['Cloud pods']);
      expect(operation.requestBody).toEqual(twin.operation.requestBody);
    }
  });

  it('says of each of its parts what is in it', () => {
    const used = new Set(operationsOf(document).flatMap(({ operation }) => operation.tags));
    expect(document.tags.map(({ name }) => name).toSorted()).toEqual([...used].toSorted());
  });
});

describe('The patterns of the OpenAPI document', () => {
  const patterns = () =>
    new Set(
      operationsOf(document)
        .flatMap(({ operation }) => contentsOf(operation))
        .flatMap(({ schema }) => patternsOf(schema)),
    );

  it('are those that the API enforces, without slashes and flags', () => {
    const enforced = api.endpoints.flatMap(({ query, body }) => [query, body]).flatMap(enforcedBy);
    expect(enforced.map(({ flags }) => flags).filter((flags) => flags !== '')).toEqual([]);
    expect([...patterns()].toSorted()).toEqual([...new Set(enforced.map(({ source }) => source))].toSorted());
    expect(patterns().size).toBeGreaterThan(3);
  });

  it('are ECMA-262, and match the same texts with the flag u, as JSON Schema has it, and without, as Swagger UI has it', () => {
    const anyText = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.nat(0xffff).map((unit) => String.fromCharCode(unit)) }),
      fc.string({
        unit: fc.constantFrom('p', 'C', 'c', 's', '{', '-', '0', '\u0000', '\u0085', '\ud83d', '\ude00', '\n', '/'),
      }),
    );
    for (const pattern of patterns()) {
      const [strict, loose] = [new RegExp(pattern, 'u'), new RegExp(pattern)];
      fc.assert(fc.property(anyText, (text) => strict.test(text) === loose.test(text)));
    }
  });

  it('refuse what no log and no page should hold, and nothing else that people write', () => {
    const pattern = [...patterns()].find((one) => one.includes('ud800')) ?? '';
    for (const flags of ['u', '']) {
      const regex = new RegExp(pattern, flags);
      for (const text of ['prod', 'pCcs{}\\', '日本', '😀', '']) expect(regex.test(text), text).toBe(true);
      for (const text of ['\u0000', 'a\nb', '\u007f', '\u0085', '\ud83d', '\ude00', 'a\ude00\ud83d']) {
        expect(regex.test(text), JSON.stringify(text)).toBe(false);
      }
    }
  });

  it('match the examples', () => {
    const judged = operationsOf(document).flatMap(({ operation }) => contentsOf(operation).flatMap(misfits));
    expect(judged).toEqual([]);
    // or nothing would be judged above
    expect(misfits({ schema: { properties: { a: { items: { pattern: '^b' } } } }, example: { a: ['c'] } })).toEqual([
      'c',
    ]);
  });
});

/** Of a schema of the document. */
function patternsOf(schema: Schema): string[] {
  const { pattern, properties = {}, items, additionalProperties, anyOf = [], oneOf = [], allOf = [] } = schema;
  const inner = [...Object.values(properties), items, additionalProperties, ...anyOf, ...oneOf, ...allOf];
  const further = inner.flatMap((one) => (typeof one === 'object' ? patternsOf(one) : []));
  return pattern === undefined ? further : [pattern, ...further];
}

/** Every regular expression that a schema of the API holds texts against, besides those of formats such as `uuid`. */
function enforcedBy(schema: z.ZodType | null): RegExp[] {
  const found: RegExp[] = [];
  if (schema === null) return found;
  z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ zodSchema }) => {
      for (const check of zodSchema._zod.def.checks ?? []) {
        const { format, pattern } = check._zod.def as z.core.$ZodCheckRegexDef;
        if (format === 'regex') found.push(pattern);
      }
    },
  });
  return found;
}

/** The texts of an example that do not match the pattern of their place. */
function misfits({ schema, example }: Content): unknown[] {
  if (example === undefined || example === null) return [];
  const { pattern, properties = {}, items, anyOf = [], oneOf = [], allOf = [] } = schema;
  const choices = [...anyOf, ...oneOf].map((choice) => misfits({ schema: choice, example }));
  const fields = Object.entries(properties).flatMap(([name, field]) =>
    misfits({ schema: field, example: Reflect.get(Object(example), name) }),
  );
  const elements =
    Array.isArray(example) && items ? example.flatMap((one) => misfits({ schema: items, example: one })) : [];
  const all = allOf.flatMap((one) => misfits({ schema: one, example }));
  const isMisfit = pattern !== undefined && typeof example === 'string' && !new RegExp(pattern, 'u').test(example);
  const chosen = choices.every((choice) => choice.length > 0) ? (choices[0] ?? []) : [];
  return [...(isMisfit ? [example] : []), ...fields, ...elements, ...all, ...chosen];
}
