import type { Request, RequestHandler, Router } from 'express';
import { requireRole } from './caller.ts';
import type { ApiDependencies } from './dependencies.ts';
import type { Endpoint } from './endpoint.ts';
import { readJsonBody } from './json-body.ts';
import type { SignIn } from './sign-in.ts';

/** Serves endpoints. Token, limits and role come first, then the body is read and validated, before any handler. */
export function mountEndpoints(
  router: Router,
  endpoints: readonly Endpoint[],
  { clock }: Pick<ApiDependencies, 'clock'>,
  signIn: SignIn,
): void {
  for (const endpoint of endpoints) router[endpoint.method](endpoint.path, serve(endpoint, clock, signIn));
}

function serve(endpoint: Endpoint, clock: () => number, signIn: SignIn): RequestHandler {
  return async (request, response) => {
    response.locals.route = endpoint.path;
    const nowMs = clock();
    const caller = await signIn(request, nowMs);
    requireRole(caller, endpoint.roles);
    if (endpoint.body !== null) await readJsonBody(request, response);
    const answer = await endpoint.run({
      caller,
      params: paramsOf(request),
      query: request.query,
      body: request.body,
      nowMs,
      ifMatch: request.get('if-match') ?? null,
    });
    response.status(answer.status).set(answer.headers ?? {});
    if (typeof answer.body === 'string') response.send(answer.body);
    else response.json(answer.body);
  };
}

function paramsOf(request: Request): Record<string, string> {
  return Object.fromEntries(
    Object.entries(request.params).map(([name, value]) => [name, Array.isArray(value) ? value.join('/') : value]),
  );
}
