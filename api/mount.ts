import type { Request, RequestHandler, Router } from 'express';
import { authenticate, requireRole } from './caller.ts';
import type { ApiDependencies } from './dependencies.ts';
import type { Endpoint } from './endpoint.ts';
import type { RateLimits } from './rate-limits.ts';

/** Serves endpoints: token, role, limits and validation come before any handler. */
export function mountEndpoints(
  router: Router,
  endpoints: readonly Endpoint[],
  deps: Pick<ApiDependencies, 'database' | 'clock'>,
  limits: RateLimits,
): void {
  for (const endpoint of endpoints) router[endpoint.method](endpoint.path, serve(endpoint, deps, limits));
}

function serve(
  endpoint: Endpoint,
  { database, clock }: Pick<ApiDependencies, 'database' | 'clock'>,
  limits: RateLimits,
): RequestHandler {
  return async (request, response) => {
    response.locals.route = endpoint.path;
    const nowMs = clock();
    const caller = await authenticate(database, request, nowMs);
    await limits.countToken(caller.tokenId);
    requireRole(caller, endpoint.roles);
    const answer = await endpoint.run({
      caller,
      params: paramsOf(request),
      query: request.query,
      body: request.body,
      nowMs,
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
