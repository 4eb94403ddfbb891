import type { Request, RequestHandler, Router } from 'express';
import { authenticate, requireRole } from './authentication.ts';
import type { ApiDependencies } from './dependencies.ts';
import type { Operation } from './operation.ts';
import type { RateLimits } from './rate-limits.ts';

/** Serves operations: token, role, limits and validation come before any handler. */
export function mountOperations(
  router: Router,
  operations: readonly Operation[],
  deps: Pick<ApiDependencies, 'database' | 'clock'>,
  limits: RateLimits,
): void {
  for (const operation of operations) router[operation.method](operation.path, serve(operation, deps, limits));
}

function serve(
  operation: Operation,
  { database, clock }: Pick<ApiDependencies, 'database' | 'clock'>,
  limits: RateLimits,
): RequestHandler {
  return async (request, response) => {
    response.locals.route = operation.path;
    const nowMs = clock();
    const caller = await authenticate(database, request, nowMs);
    await limits.countToken(caller.tokenId);
    requireRole(caller, operation.roles);
    const answer = await operation.run({
      caller,
      params: paramsOf(request),
      query: request.query,
      body: request.body,
      nowMs,
      requestId: String(request.id),
    });
    response.status(answer.status).set(answer.headers ?? {});
    if (answer.body === undefined) response.end();
    else if (typeof answer.body === 'string') response.send(answer.body);
    else response.json(answer.body);
  };
}

function paramsOf(request: Request): Record<string, string> {
  return Object.fromEntries(
    Object.entries(request.params).map(([name, value]) => [name, Array.isArray(value) ? value.join('/') : value]),
  );
}
