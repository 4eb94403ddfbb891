import type { z } from 'zod';
import type { Problem } from '../domain/app-error.ts';
import type { Role } from '../domain/roles.ts';
import { inTurn, untilUnchanged } from './in-turn.ts';
import { badRequest, parseRequest, type Sound } from './parse-request.ts';
import type { RequestContext } from './request-context.ts';

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

/** What an endpoint may answer, by status. An answer without a schema is text. The example is for the OpenAPI document. */
export type Answers = Readonly<Record<number, { description: string; schema?: z.ZodType; example?: unknown }>>;

/** Any one of the declared answers: a status, with a body that the schema of that status takes. */
export type AnswerOf<Declared extends Answers> = {
  [Status in keyof Declared & number]: {
    status: Status;
    body: Declared[Status] extends { schema: infer Schema extends z.ZodType } ? z.input<Schema> : string;
    headers?: Record<string, string>;
  };
}[keyof Declared & number];

/** How an endpoint is reached, by whom, and what it answers. */
export interface Described<Declared extends Answers> {
  /** Unique; names the operation in the OpenAPI document. */
  id: string;
  method: Method;
  /** As Express writes it, e.g. `/api/vms/:id`. */
  path: string;
  tag: string;
  summary: string;
  roles: readonly Role[];
  answers: Declared;
}

export interface Declaration<Query extends z.ZodType, Body extends z.ZodType, Declared extends Answers>
  extends Described<Declared> {
  query?: Query;
  body?: Body;
  /** Needed as soon as there is a query or a body; path-parameters.ts has what paths name. */
  example?: Example<z.input<NoInfer<Query>>, z.input<NoInfer<Body>>>;
}

/** A request that is accepted as it stands, once what it names is there. A test sends it as the OpenAPI document shows it. */
export interface Example<Query, Body> {
  query?: Query;
  body?: Body;
}

/** What a handler is given: everything parsed. */
export interface Call<Query, Body> extends RequestContext {
  query: Query;
  body: Body;
}

/** What a judge is given: of query and body what the schemas take, also when they refuse the rest. */
export interface JudgedCall<Query, Body> extends Call<Query, Body> {
  /** The first names of the paths that the schemas refuse, so that nobody calls a refused field missing. */
  refused: ReadonlySet<string>;
}

/** What a judge says. `found` counts only where there are no problems; where it is null, problems say why. */
export interface Judged<Found> {
  problems: readonly Problem[];
  found: Found | null;
}

/** An endpoint with its types closed over: what the router and the OpenAPI document are made of. */
export interface Endpoint extends Described<Answers> {
  query: z.ZodType | null;
  body: z.ZodType | null;
  example: Example<unknown, unknown>;
  /** The endpoint that does the same at another path, which new clients call. */
  twinOf: Pick<Endpoint, 'id' | 'path'> | null;
  /** It goes on working, and the OpenAPI document says what takes its place. */
  deprecated: boolean;
  /** @throws AppError naming every problem of the request. */
  run(raw: Call<unknown, unknown>): Promise<{ status: number; body: unknown; headers?: Record<string, string> }>;
}

/** A declared endpoint that still lacks its handler. */
interface Unhandled<Query extends z.ZodType, Body extends z.ZodType, Declared extends Answers> {
  /** For an endpoint whose requests need no more than to be parsed. */
  handle(handler: (call: Call<z.output<Query>, z.output<Body>>) => Promise<AnswerOf<Declared>>): Endpoint;

  /**
   * A judge names the problems that no schema can say, and finds what the handler needs. A handler answers null when what
   * was found has been changed meanwhile: then it is found, judged and handled anew.
   */
  judge<Found>(judge: (call: JudgedCall<Sound<Query>, Sound<Body>>) => Promise<Judged<Found>>): {
    handle(
      handler: (call: Call<z.output<Query>, z.output<Body>> & { found: Found }) => Promise<AnswerOf<Declared> | null>,
    ): Endpoint;
  };
}

/**
 * Makes an endpoint: `endpoint({…}).handle(…)` or `endpoint({…}).judge(…).handle(…)`. An answer that isn't declared doesn't
 * compile; in steps, because the compiler has to know the declaration before it reads the handler.
 */
export function endpoint<
  Declared extends Answers,
  Query extends z.ZodType = z.ZodUndefined,
  Body extends z.ZodType = z.ZodUndefined,
>(declaration: Declaration<Query, Body, Declared>): Unhandled<Query, Body, Declared> {
  const closedOver = (run: Endpoint['run']): Endpoint => ({
    ...declaration,
    query: declaration.query ?? null,
    body: declaration.body ?? null,
    example: declaration.example ?? {},
    twinOf: null,
    deprecated: false,
    run,
  });
  return {
    handle: (handler) =>
      closedOver(async (raw) => {
        const { query, body, problems } = parseRequest(declaration, raw);
        if (problems.length > 0) throw badRequest(problems);
        return handler({ ...raw, query: query.whole, body: body.whole });
      }),
    judge: (judge) => ({
      handle: (handler) =>
        closedOver(async (raw) => {
          const { query, body, problems: refusals } = parseRequest(declaration, raw);
          const refused = new Set(refusals.map(({ path }) => path.split('.', 1)[0] ?? ''));
          const attempt = async () => {
            const { problems, found } = await judge({ ...raw, query: query.sound, body: body.sound, refused });
            if (refusals.length + problems.length > 0) throw badRequest([...refusals, ...problems]);
            if (found === null) throw new Error(`${declaration.id} found nothing, and no problem either`);
            return handler({ ...raw, query: query.whole, body: body.whole, found });
          };
          const { id } = raw.params;
          return id === undefined ? untilUnchanged(attempt) : inTurn(`${raw.caller.tenantId}/${id}`, attempt);
        }),
    }),
  };
}

/** The same endpoint at the path that it had before, under the id that it had there. */
export function earlierPathOf(endpoint: Endpoint, earlier: { id: string; path: string }): Endpoint {
  return { ...endpoint, ...earlier, summary: `Earlier path of ${endpoint.path}`, deprecated: true };
}

/** The first endpoints as twins of the second, in the same order: both do the same, and new clients call the second. */
export function asTwinsOf(endpoints: readonly Endpoint[], twins: readonly Endpoint[]): Endpoint[] {
  return endpoints.map((endpoint, index) => ({ ...endpoint, twinOf: twins[index] ?? null }));
}

/** Status 200. `Body` is what the endpoint declares: an undeclared field of a literal doesn't compile. */
export function ok<Body>(body: NoInfer<Body>): { status: 200; body: Body } {
  return { status: 200, body };
}
