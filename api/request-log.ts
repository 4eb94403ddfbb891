import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import { type HttpLogger, pinoHttp } from 'pino-http';

const REQUEST_ID = /^[\w.:-]{1,128}$/;

/**
 * One line per request with its id, which is answered in X-Request-Id (a caller's own is taken over). Query strings,
 * headers and bodies stay out: they may hold tokens.
 */
export function createRequestLog(logger: Logger): HttpLogger {
  return pinoHttp({
    logger,
    genReqId(request: IncomingMessage, response: ServerResponse) {
      const given = request.headers['x-request-id'];
      const id = typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
      response.setHeader('X-Request-Id', id);
      return id;
    },
    serializers: {
      req: (request: { id: string; method: string; url: string; remoteAddress: string }) => ({
        id: request.id,
        method: request.method,
        path: request.url.split('?', 1)[0],
        remoteAddress: request.remoteAddress,
      }),
      res: (response: { statusCode: number }) => ({ statusCode: response.statusCode }),
      err: (error: Error) => ({ message: error.message }),
    },
    customLogLevel: (request, response) => {
      if (response.statusCode >= 500) return 'warn';
      return request.url === '/health' || request.url === '/metrics' ? 'debug' : 'info';
    },
  });
}

/** An error as the log may hold it. Drivers put statements' values into messages and stacks: those are left out. */
export function toLoggedError(error: unknown): object {
  if (!(error instanceof Error)) return { type: typeof error };
  const code = 'code' in error ? { code: String(error.code) } : {};
  if ('query' in error && 'params' in error) {
    return { type: error.name, query: String(error.query), cause: toLoggedError(error.cause) };
  }
  const cause = error.cause === undefined ? {} : { cause: toLoggedError(error.cause) };
  return { type: error.name, message: error.message, stack: error.stack, ...code, ...cause };
}
