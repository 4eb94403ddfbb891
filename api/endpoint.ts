import type { z } from 'zod';
import type { Problem } from '../domain/app-error.ts';
import type { Caller, Role } from './caller.ts';
import { parseRequest } from './parse-request.ts';

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

/** What a handler is given: everything validated. */
export interface Call<Query, Body> {
  caller: Caller;
  params: Readonly<Record<string, string>>;
  query: Query;
  body: Body;
  nowMs: number;
  requestId: string;
}

export interface Answer {
  status: number;
  body: unknown;
  headers?: Record<string, string>;
}

export interface AnswerDescription {
  description: string;
  schema?: z.ZodType;
}

/** One endpoint: how it is connections, by whom, with what, and what it does. */
export interface EndpointSpec<Query extends z.ZodType, Body extends z.ZodType> {
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
  answers: Readonly<Record<number, AnswerDescription>>;
  /** Problems that no schema can say. Sees the request as it was sent, so that every problem is named at once. */
  inspect?(raw: Call<unknown, unknown>): Promise<Problem[]> | Problem[];
  handle(call: Call<z.output<Query>, z.output<Body>>): Promise<Answer>;
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
  answers: Readonly<Record<number, AnswerDescription>>;
  /** @throws AppError naming every problem of the request. */
  run(raw: Call<unknown, unknown>): Promise<Answer>;
}

/** Closes an endpoint's types over, so that endpoints of all kinds fit in one list. */
export function endpoint<Query extends z.ZodType = z.ZodUndefined, Body extends z.ZodType = z.ZodUndefined>(
  spec: EndpointSpec<Query, Body>,
): Endpoint {
  const { id, method, path, tag, summary, roles, answers } = spec;
  return {
    id,
    method,
    path,
    tag,
    summary,
    roles,
    answers,
    query: spec.query ?? null,
    body: spec.body ?? null,
    async run(raw) {
      const { query, body } = await parseRequest(spec, raw, () => spec.inspect?.(raw) ?? []);
      return spec.handle({ ...raw, query, body });
    },
  };
}

export const ok = (body: unknown): Answer => ({ status: 200, body });
