import fc from 'fast-check';
import type { Endpoint } from '../../../api/endpoint.ts';
import { ROLES, type Role } from '../../../domain/roles.ts';
import { oddJson, oddText } from './odd.ts';
import { valuesOf } from './schema-values.ts';
import { PARAMETERS, textFor } from './texts.ts';

/** A request as it is generated: the things that it names are resolved when it is sent. */
export interface FuzzRequest {
  operation: string;
  method: string;
  tenant: 0 | 1;
  role: Role;
  /** Of the path, each not yet encoded. */
  segments: string[];
  /** Put behind the path as it is. */
  rawPath: string;
  query: [string, string][];
  body: { json: unknown } | { raw: Uint8Array } | null;
  contentType: string;
}

/** Bodies that no value is written as. */
const RAW_BODIES = [
  '',
  '{',
  'null',
  '"text"',
  '[]',
  '{"name":1e999}',
  '{"name":"a","name":"b"}',
  '{"__proto__":{"role":"OPERATOR"},"constructor":{"prototype":{}}}',
  '\ufeff{}',
  `${'['.repeat(2_000)}${']'.repeat(2_000)}`,
  '{"name":"\\ud800"}',
].map((text) => Buffer.from(text));

const rawBody = fc.oneof(
  fc.constantFrom(...RAW_BODIES),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.concat([Buffer.from('{"name":"'), bytes, Buffer.from('"}')])),
  fc.uint8Array({ maxLength: 40 }),
);

/** Requests to each of these endpoints, as often to the one as to the other. */
export function requestsTo(endpoints: readonly Endpoint[]): fc.Arbitrary<FuzzRequest> {
  return fc.oneof(...endpoints.map(requestTo));
}

function requestTo(endpoint: Endpoint): fc.Arbitrary<FuzzRequest> {
  const { id: operation, method, path, roles } = endpoint;
  const ofTenants = roles.filter((role) => role !== 'OPERATOR');
  return fc.record({
    operation: fc.constant(operation),
    method: fc.constant(method.toUpperCase()),
    tenant: fc.constantFrom(0 as const, 1 as const),
    role: fc.oneof(
      { weight: 30, arbitrary: fc.constantFrom(...(ofTenants.length > 0 ? ofTenants : roles)) },
      { weight: operation.endsWith('Provider') ? 30 : 1, arbitrary: fc.constant<Role>('OPERATOR') },
      { weight: 1, arbitrary: fc.constantFrom(...ROLES) },
    ),
    segments: fc.tuple(...path.split('/').slice(1).map(segmentOf)),
    rawPath: fc.oneof(
      { weight: 60, arbitrary: fc.constant('') },
      { weight: 1, arbitrary: fc.constantFrom('/', '/..', '/%2e%2e', '%00', '%E0%A4%A', ';a=b', '//') },
    ),
    query: queryOf(endpoint),
    body: bodyOf(endpoint),
    contentType: fc.oneof(
      { weight: 40, arbitrary: fc.constant('application/json') },
      {
        weight: 1,
        arbitrary: fc.constantFrom('text/plain', 'application/json; charset=utf-16', 'application/json; charset=x'),
      },
    ),
  });
}

function segmentOf(part: string): fc.Arbitrary<string> {
  if (!part.startsWith(':')) return fc.constant(part);
  const named = PARAMETERS[part.slice(1)];
  if (named === undefined) throw new Error(`nothing is known of the parameter ${part}`);
  return fc.oneof({ weight: 25, arbitrary: named }, { weight: 1, arbitrary: oddText });
}

function queryOf({ query }: Endpoint): fc.Arbitrary<[string, string][]> {
  const odd = fc.array(fc.tuple(fc.oneof(fc.constantFrom('limit', 'cursor', 'id[]', 'a[b]'), oddText), oddText), {
    maxLength: 2,
  });
  if (query === null)
    return fc.oneof({ weight: 20, arbitrary: fc.constant<[string, string][]>([]) }, { weight: 1, arbitrary: odd });
  const declared = valuesOf(query, textFor).map((value) =>
    Object.entries(typeof value === 'object' && value !== null ? value : {})
      .filter(([, one]) => one !== undefined)
      .map(([name, one]): [string, string] => [name, typeof one === 'string' ? one : String(JSON.stringify(one))]),
  );
  return fc.oneof(
    { weight: 20, arbitrary: declared },
    { weight: 1, arbitrary: fc.tuple(declared, odd).map((both) => both.flat()) },
    { weight: 1, arbitrary: odd },
  );
}

function bodyOf({ body, method }: Endpoint): fc.Arbitrary<FuzzRequest['body']> {
  const none = fc.constant(null);
  const raw = rawBody.map((bytes) => ({ raw: bytes }));
  const odd = oddJson.map((json) => ({ json }));
  if (body === null) {
    return method === 'get'
      ? none
      : fc.oneof({ weight: 20, arbitrary: none }, { weight: 1, arbitrary: fc.oneof(raw, odd) });
  }
  const declared = valuesOf(body, textFor).map((json) => ({ json }));
  return fc.oneof(
    { weight: 30, arbitrary: declared },
    { weight: 1, arbitrary: odd },
    { weight: 1, arbitrary: raw },
    { weight: 1, arbitrary: none },
  );
}
