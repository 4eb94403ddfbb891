import { OpenAPIRegistry, OpenApiGeneratorV31, type RouteConfig } from '@asteasolutions/zod-to-openapi';
import { z } from 'zod';
import { ROLES, type Role } from '../domain/roles.ts';
import { type Answers, type Described, type Endpoint, endpoint, ok } from './endpoint.ts';
import { pathParametersOf } from './path-parameters.ts';
import { problemAnswer } from './problems.ts';
import { anyObject } from './schemas/fields.ts';
import { TAGS, TWINS_TAG } from './tags.ts';

type SchemaObject = Parameters<OpenAPIRegistry['registerComponent']>[2];
export type OpenApiDocument = ReturnType<OpenApiGeneratorV31['generateDocument']>;

/** Serves the document; it is made when it is first asked for. */
export function openApiEndpoint(describe: () => OpenApiDocument): Endpoint {
  let document: object | null = null;
  return endpoint({
    id: 'readOpenApi',
    method: 'get',
    path: '/openapi.json',
    tag: 'Operation',
    summary: 'This document',
    roles: ROLES,
    answers: { 200: { description: 'OpenAPI 3.1', schema: anyObject, example: { openapi: '3.1.0' } } },
  }).handle(async () => {
    document ??= describe();
    return ok(document);
  });
}

/** The OpenAPI 3.1 document of these endpoints, and of what is served without a token. */
export function describeEndpoints(
  endpoints: readonly Endpoint[],
  withoutToken: readonly Described<Answers>[],
): OpenApiDocument {
  const registry = new OpenAPIRegistry();
  registry.registerComponent('securitySchemes', 'token', { type: 'http', scheme: 'bearer' });
  const { $schema: _, ...problem } = z.toJSONSchema(problemAnswer, { io: 'input' });
  const { ref } = registry.registerComponent('schemas', 'Problem', problem as SchemaObject);
  for (const one of endpoints) registry.registerPath({ ...toRoute(one, ref), ...toRequest(one), ...twinMarks(one) });
  for (const one of withoutToken) registry.registerPath({ ...toRoute(one, ref), security: [] });
  return new OpenApiGeneratorV31(registry.definitions).generateDocument({
    openapi: '3.1.0',
    info: {
      title: 'Defib',
      version: '1',
      description: 'Durable health monitoring and auto-healing for virtual machines.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    // wherever the document was loaded from
    servers: [{ url: '/' }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    security: [{ token: [] }],
  });
}

function toRoute(
  { id, method, path, tag, summary, roles, answers }: Described<Answers>,
  problem: { $ref: string },
): RouteConfig {
  const wrong = { content: { 'application/problem+json': { schema: problem } } };
  return {
    operationId: id,
    method,
    path: withBraces(path),
    tags: [tag],
    summary,
    description: forWhom(roles),
    responses: {
      ...Object.fromEntries(Object.entries(answers).map(([status, answer]) => [status, toResponse(answer)])),
      '4XX': { description: 'What is wrong with the request', ...wrong },
      '5XX': { description: 'What is wrong on this side', ...wrong },
    },
  };
}

function forWhom(roles: readonly Role[]): string {
  return roles.length === 0 ? 'For everybody.' : `For role ${roles.join(', ')}.`;
}

function toRequest({ path, query, body, example, deprecated }: Endpoint): Pick<RouteConfig, 'request' | 'deprecated'> {
  const params = pathParametersOf(path);
  return {
    request: {
      ...(params === null ? {} : { params }),
      ...(query instanceof z.ZodObject ? { query: withExamples(query, example.query) } : {}),
      ...(body === null ? {} : { body: { required: true, ...toContent({ schema: body, example: example.body }) } }),
    },
    ...(deprecated ? { deprecated } : {}),
  };
}

function twinMarks({ method, twinOf, roles }: Endpoint): Partial<RouteConfig> {
  if (twinOf === null) return {};
  const twin = `${method.toUpperCase()} ${withBraces(twinOf.path)}`;
  return { tags: [TWINS_TAG], description: `${forWhom(roles)} Compatible twin of ${twin}.`, 'x-twin-of': twinOf.id };
}

function toResponse({ description, ...answer }: Answers[number]) {
  return { description, ...toContent(answer) };
}

/** Text, where there is no schema. */
function toContent({ schema, example }: { schema?: z.ZodType; example?: unknown }) {
  const shown = example === undefined ? {} : { example };
  return {
    content: schema ? { 'application/json': { schema, ...shown } } : { 'text/plain': { schema: z.string(), ...shown } },
  };
}

/** A query of whose parameters some have an example. */
function withExamples(query: z.ZodObject, example: unknown): z.ZodObject {
  const examples = new Map(Object.entries(example ?? {}));
  const parameters = Object.entries<z.ZodType>(query.shape).map(([name, schema]) => [
    name,
    examples.has(name) ? schema.meta({ param: { example: examples.get(name) } }) : schema,
  ]);
  return z.object(Object.fromEntries(parameters));
}

function withBraces(path: string): string {
  return path.replaceAll(/:(\w+)/g, '{$1}');
}
