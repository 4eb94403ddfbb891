/** What the tests read of the OpenAPI document. */
export interface OpenApiDocument {
  openapi: string;
  tags: { name: string; description: string }[];
  paths: Record<string, Record<string, Operation>>;
}

export interface Operation {
  operationId: string;
  tags: string[];
  description: string;
  deprecated?: boolean;
  security?: object[];
  'x-twin-of'?: string;
  parameters?: Parameter[];
  requestBody?: { content: { 'application/json': Content } };
  responses: Record<string, { content: Record<string, Content> }>;
}

export interface Parameter {
  name: string;
  in: 'path' | 'query';
  schema: Schema;
  example?: unknown;
}

export interface Content {
  schema: Schema;
  example?: unknown;
}

/** Of a schema what can hold a pattern. */
export interface Schema {
  pattern?: string;
  properties?: Record<string, Schema>;
  items?: Schema;
  additionalProperties?: Schema | boolean;
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
}

/** An operation, and where it is. */
export interface PlacedOperation {
  /** In capitals. */
  method: string;
  path: string;
  operation: Operation;
}

/** Every operation, in the order of the document. */
export function operationsOf({ paths }: OpenApiDocument): PlacedOperation[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  );
}

/** The schemas of an operation with the example of each, as far as there is one. */
export function contentsOf({ parameters = [], requestBody, responses }: Operation): Content[] {
  const bodies = [requestBody, ...Object.values(responses)].flatMap((one) => Object.values(one?.content ?? {}));
  return [...parameters, ...bodies];
}
