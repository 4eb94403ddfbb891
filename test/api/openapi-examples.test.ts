import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiUnderTest, startApiUnderTest } from './api-under-test.ts';
import { type OpenApiDocument, operationsOf, type PlacedOperation } from './openapi-document.ts';
import { withoutTemporal } from './without-temporal.ts';

let api: ApiUnderTest;
let document: OpenApiDocument;
beforeAll(async () => {
  const settings = { RATE_LIMIT_PER_MINUTE: '1000000', RATE_LIMIT_ADDRESS_PER_MINUTE: '1000000' };
  api = await startApiUnderTest({ temporal: withoutTemporal, settings });
  document = (await api.call('GET', '/openapi.json')).body;
});
afterAll(() => api.close());

describe('The examples of the OpenAPI document', () => {
  it('are requests that are accepted as they stand', { timeout: 120_000 }, async () => {
    const refused: string[] = [];
    for (const placed of operationsOf(document)) {
      await forgetEverything();
      for (const [name, value] of namedBy(placed)) await make(name, value);
      const { status, text } = await send(placed);
      const declared = status < 300 && String(status) in placed.operation.responses;
      if (!declared) refused.push(`${placed.method} ${placed.path}: ${status} ${text}`);
    }
    expect(refused).toEqual([]);
  });

  it('are there for every operation: of its path, its body or its query, and of what it answers', () => {
    expect(operationsOf(document).flatMap(missingFrom)).toEqual([]);
    expect(operationsOf(document).length).toBeGreaterThan(50);
  });

  it('are missed where there are none', () => {
    const operation = structuredClone(document.paths['/api/vms/{id}']!['patch']!);
    const placed = { method: 'PATCH', path: '/api/vms/{id}', operation };
    expect(missingFrom(placed)).toEqual([]);
    delete operation.parameters![0]!.example;
    delete operation.requestBody!.content['application/json'].example;
    for (const { content } of Object.values(operation.responses)) delete content['application/json']?.example;
    expect(missingFrom(placed)).toHaveLength(3);
    const list = structuredClone(document.paths['/api/vms']!['get']!);
    for (const parameter of list.parameters ?? []) delete parameter.example;
    expect(missingFrom({ method: 'GET', path: '/api/vms', operation: list })).toHaveLength(1);
  });

  it('of answers are such as are declared', () => {
    for (const { method, path, operation } of operationsOf(document)) {
      for (const [status, { content }] of Object.entries(operation.responses)) {
        const body = content['application/json']?.example;
        if (body !== undefined) api.checkAnswer(method, path, { status: Number(status), body });
      }
    }
  });

  it('hold no token that could be one', () => {
    for (const [token] of JSON.stringify(document).matchAll(/defib_[\w-]+/g)) {
      expect(token).toMatch(/^defib_(example-of-a-token|vms)$/);
    }
  });
});

/** What an operation lacks of its worked example. */
function missingFrom({ method, path, operation }: PlacedOperation): string[] {
  const { parameters = [], requestBody, responses } = operation;
  const without = parameters.filter(({ example }) => example === undefined);
  const missing = without.filter((one) => one.in === 'path').map(({ name }) => `of {${name}}`);
  const isPlain = parameters.every((one) => one.in === 'query');
  if (isPlain && without.length > 0 && without.length === parameters.length) missing.push('of any parameter');
  if (requestBody && requestBody.content['application/json'].example === undefined) missing.push('of its body');
  const answers = Object.entries(responses).flatMap(([status, { content }]) =>
    status.startsWith('2') ? Object.values(content) : [],
  );
  if (answers.every(({ example }) => example === undefined)) missing.push('of its answer');
  return missing.map((what) => `${method} ${path} (${operation.operationId}) has no example ${what}`);
}

/** Sends the request that the document shows, by the token of the operator, who may do everything. */
function send({ method, path, operation }: PlacedOperation) {
  const { parameters = [], requestBody, security } = operation;
  const query = new URLSearchParams();
  let target = path;
  for (const { name, in: place, example } of parameters) {
    if (example === undefined) continue;
    if (place === 'path') target = target.replace(`{${name}}`, encodeURIComponent(String(example)));
    else query.set(name, String(example));
  }
  const options = security?.length === 0 ? { token: null } : {};
  return api.call(method, `${target}?${query}`, requestBody?.content['application/json'].example, options);
}

/** What a request names that has to be there: in its path, and a VM in its body. */
function namedBy({ operation }: PlacedOperation): [string, string][] {
  const { parameters = [], requestBody } = operation;
  const inPath = parameters.filter((one) => one.in === 'path');
  const vmId = Reflect.get(Object(requestBody?.content['application/json'].example), 'vmId');
  const named = inPath.map(({ name, example }): [string, string] => [name, String(example)]);
  return vmId === undefined ? named : [...named, ['id', String(vmId)]];
}

/** How what a path names is made: as the document's own examples make it, then under the name of the path's example. */
const MADE_BY: Record<string, { operationId: string; named?: (name: string) => object; sql?: string }> = {
  id: { operationId: 'registerVm', named: (externalId) => ({ externalId }) },
  policyId: { operationId: 'savePolicy', sql: 'UPDATE policies SET id = $1' },
  providerId: { operationId: 'addProvider', named: (name) => ({ name }) },
  tenantId: { operationId: 'makeTenant', named: (id) => ({ id }) },
  tokenId: { operationId: 'makeToken', sql: "UPDATE api_tokens SET id = $1 WHERE role <> 'OPERATOR'" },
};

async function make(name: string, value: string): Promise<void> {
  // a VM that is made by its own example has the check
  if (name === 'checkType') return;
  const how = MADE_BY[name];
  if (how === undefined) throw new Error(`say in MADE_BY how to make what {${name}} names`);
  const maker = operationsOf(document).find(({ operation }) => operation.operationId === how.operationId)!;
  const example = maker.operation.requestBody!.content['application/json'].example as object;
  const { status, text } = await api.call(maker.method, maker.path, { ...example, ...how.named?.(value) });
  if (status !== 201) throw new Error(`${name} was not made: ${text}`);
  if (how.sql !== undefined) await api.sql(how.sql, [value]);
}

async function forgetEverything(): Promise<void> {
  await api.sql('TRUNCATE vms, policies, provider_instances CASCADE');
  await api.sql("DELETE FROM api_tokens WHERE role <> 'OPERATOR'");
  await api.sql("DELETE FROM tenants WHERE id <> 'default'");
}
