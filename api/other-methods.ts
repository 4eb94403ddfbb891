import type { RequestHandler, Router } from 'express';
import { AppError } from '../domain/app-error.ts';
import { shownPath } from './problems.ts';

/** Answers, for paths that exist, what none of their endpoints does: OPTIONS, and 405 for other methods. Mounted after them. */
export function answerOtherMethods(router: Router, endpoints: readonly { method: string; path: string }[]): void {
  for (const path of new Set(endpoints.map((endpoint) => endpoint.path))) {
    const methods = endpoints.filter((endpoint) => endpoint.path === path).map(({ method }) => method.toUpperCase());
    const allowed = ['OPTIONS', ...methods, ...(methods.includes('GET') ? ['HEAD'] : [])];
    router.all(path, answerWith(allowed.toSorted().join(', ')));
  }
}

function answerWith(allow: string): RequestHandler {
  return (request, response) => {
    response.set('Allow', allow);
    if (request.method === 'OPTIONS') response.status(204).end();
    else throw new AppError('method-not-allowed', `${shownPath(request)} takes ${allow}, not ${request.method}.`);
  };
}
