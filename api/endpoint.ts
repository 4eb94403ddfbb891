import type { z } from 'zod';
import type { Problem } from '../domain/app-error.ts';
import type { Caller, Role } from './caller.ts';
import { parseRequest } from './parse-request.ts';

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

/** What an endpoint may answer, by status. An answer without a schema is text. */
export type Answers = Readonly<Record<number, { description: string; schema?: z.ZodType }>>;

/** Any one of the declared answers: a status, with a body that the schema of that status takes. */
export type AnswerOf<Declared extends Answers> = {
  [Status in keyof Declared & number]: {
    status: Status;
    body: Declared[Status] extends { schema: infer Schema extends z.ZodType } ? z.input<Schema> : string;
    headers?: Record<string, string>;
  };
}[keyof Declared & number];

/** What anyone may know of an endpoint without calling it: how it is reached, by whom, with what, and what it answers. */
export interface Declaration<Query extends z.ZodType, Body extends z.ZodType, Declared extends Answers> {
  /** Unique; names the operation in the OpenAPI document. */
  id: string;
  method: Method;
  /** As Express writes it, e.g. `/api/vms/:id`. */
  path: string;
  tag: string;
  summary: string;
  roles: readonly Role[];
  query?: Query;
  body?: Body;
  answers: Declared;
  /** Problems that no schema can say. Sees the request as it was sent, so that every problem is named at once. */
  inspect?(raw: Call<unknown, unknown>): Promise<Problem[]> | Problem[];
}

/** What a handler is given: everything validated. */
export interface Call<Query, Body> {
  caller: Caller;
  params: Readonly<Record<string, string>>;
  query: Query;
  body: Body;
  nowMs: number;
  requestId: string;
}

/** An endpoint with its types closed over: what the router and the OpenAPI document are made of. */
export interface Endpoint {
  id: string;
  method: Method;
  path: string;
  tag: string;
  summary: string;
  roles: readonly Role[];
  query: z.ZodType | null;
  body: z.ZodType | null;
  answers: Answers;
  /** @throws AppError naming every problem of the request. */
  run(raw: Call<unknown, unknown>): Promise<{ status: number; body: unknown; headers?: Record<string, string> }>;
}

/** Makes an endpoint: first what it declares, then its handler, whose answers don't compile unless they are declared. */
export function endpoint<
  Declared extends Answers,
  Query extends z.ZodType = z.ZodUndefined,
  Body extends z.ZodType = z.ZodUndefined,
>(
  declaration: Declaration<Query, Body, Declared>,
): {
  handle(handler: (call: Call<z.output<Query>, z.output<Body>>) => Promise<AnswerOf<Declared>>): Endpoint;
} {
  const { id, method, path, tag, summary, roles, answers } = declaration;
  return {
    handle: (handler) => ({
      id,
      method,
      path,
      tag,
      summary,
      roles,
      answers,
      query: declaration.query ?? null,
      body: declaration.body ?? null,
      async run(raw) {
        const { query, body } = await parseRequest(declaration, raw, () => declaration.inspect?.(raw) ?? []);
        return handler({ ...raw, query, body });
      },
    }),
  };
}

/** Status 200. `Body` is what the endpoint declares: an undeclared field of a literal doesn't compile. */
export function ok<Body>(body: NoInfer<Body>): { status: 200; body: Body } {
  return { status: 200, body };
}
