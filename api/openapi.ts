import { OpenAPIRegistry, OpenApiGeneratorV31, type RouteConfig } from '@asteasolutions/zod-to-openapi';
import { z } from 'zod';
import { ROLES } from '../domain/roles.ts';
import { type Endpoint, endpoint, ok } from './endpoint.ts';
import { problemAnswer } from './problems.ts';
import { anyObject } from './schemas/fields.ts';

type OpenApiDocument = ReturnType<OpenApiGeneratorV31['generateDocument']>;

/** Serves the document of these endpoints; it is made when it is first asked for. */
export function openApiEndpoint(endpoints: readonly Endpoint[]): Endpoint {
  let document: object | null = null;
  return endpoint({
    id: 'readOpenApi',
    method: 'get',
    path: '/openapi.json',
    tag: 'Operation',
    summary: 'This document',
    roles: ROLES,
    answers: { 200: { description: 'OpenAPI 3.1', schema: anyObject } },
  }).handle(async () => {
    document ??= describeEndpoints(endpoints);
    return ok(document);
  });
}

/** The OpenAPI 3.1 document of these endpoints. */
export function describeEndpoints(endpoints: readonly Endpoint[]): OpenApiDocument {
  const registry = new OpenAPIRegistry();
  registry.registerComponent('securitySchemes', 'token', { type: 'http', scheme: 'bearer' });
  for (const endpoint of endpoints) registry.registerPath(toRoute(endpoint));
  return new OpenApiGeneratorV31(registry.definitions).generateDocument({
    openapi: '3.1.0',
    info: {
      title: 'Defib',
      version: '1',
      description: 'Durable health monitoring and auto-healing for virtual machines.',
    },
    security: [{ token: [] }],
  });
}

function toRoute(endpoint: Endpoint): RouteConfig {
  const names = [...endpoint.path.matchAll(/:(\w+)/g)].map((match) => match[1] ?? '');
  const query = endpoint.query instanceof z.ZodObject ? { query: endpoint.query } : {};
  const body = endpoint.body
    ? { body: { required: true, content: { 'application/json': { schema: endpoint.body } } } }
    : {};
  return {
    operationId: endpoint.id,
    method: endpoint.method,
    path: endpoint.path.replaceAll(/:(\w+)/g, '{$1}'),
    tags: [endpoint.tag],
    summary: endpoint.summary,
    ...(endpoint.deprecated ? { deprecated: true } : {}),
    description: `For role ${endpoint.roles.join(', ')}.`,
    request: {
      ...(names.length > 0 ? { params: z.object(Object.fromEntries(names.map((name) => [name, z.string()]))) } : {}),
      ...query,
      ...body,
    },
    responses: {
      ...Object.fromEntries(
        Object.entries(endpoint.answers).map(([status, { description, schema }]) => [
          status,
          { description, ...(schema ? { content: { 'application/json': { schema } } } : {}) },
        ]),
      ),
      default: { description: 'What is wrong', content: { 'application/problem+json': { schema: problemAnswer } } },
    },
  };
}
