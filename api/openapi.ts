import { OpenAPIRegistry, OpenApiGeneratorV31, type RouteConfig } from '@asteasolutions/zod-to-openapi';
import { z } from 'zod';
import type { Operation } from './operation.ts';
import { problemSchema } from './schemas/problem.ts';

type OpenApiDocument = ReturnType<OpenApiGeneratorV31['generateDocument']>;

/** The OpenAPI 3.1 document of these operations. */
export function describeOperations(operations: readonly Operation[]): OpenApiDocument {
  const registry = new OpenAPIRegistry();
  registry.registerComponent('securitySchemes', 'token', { type: 'http', scheme: 'bearer' });
  for (const operation of operations) registry.registerPath(toRoute(operation));
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

function toRoute(operation: Operation): RouteConfig {
  const names = [...operation.path.matchAll(/:(\w+)/g)].map((match) => match[1] ?? '');
  const query = operation.query instanceof z.ZodObject ? { query: operation.query } : {};
  const body = operation.body
    ? { body: { required: true, content: { 'application/json': { schema: operation.body } } } }
    : {};
  return {
    operationId: operation.id,
    method: operation.method,
    path: operation.path.replaceAll(/:(\w+)/g, '{$1}'),
    tags: [operation.tag],
    summary: operation.summary,
    description: `For role ${operation.roles.join(', ')}.`,
    request: {
      ...(names.length > 0 ? { params: z.object(Object.fromEntries(names.map((name) => [name, z.string()]))) } : {}),
      ...query,
      ...body,
    },
    responses: {
      ...Object.fromEntries(
        Object.entries(operation.answers).map(([status, { description, schema }]) => [
          status,
          { description, ...(schema ? { content: { 'application/json': { schema } } } : {}) },
        ]),
      ),
      default: { description: 'What is wrong', content: { 'application/problem+json': { schema: problemSchema } } },
    },
  };
}
