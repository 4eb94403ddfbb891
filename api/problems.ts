import type { ErrorRequestHandler, Request, RequestHandler, Response } from 'express';
import type { Logger } from 'pino';
import { z } from 'zod';
import { databaseTrouble } from '../db/database-trouble.ts';
import { AppError, type AppErrorCode } from '../domain/app-error.ts';
import { toLoggedError } from './request-log.ts';
import { endIfMuchIsUnread } from './unread-bodies.ts';

const RETRY_AFTER_SECONDS = 5;

/** RFC 9457, with every problem in `errors` and the message again in `error`. */
export const problemAnswer = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  error: z.string(),
  errors: z.array(z.object({ path: z.string(), message: z.string() })),
  instance: z.string(),
  requestId: z.string(),
});

const HTTP: Record<AppErrorCode | 'internal', { status: number; title: string }> = {
  'bad-request': { status: 400, title: 'Bad request' },
  unauthorized: { status: 401, title: 'Not signed in' },
  forbidden: { status: 403, title: 'Not allowed' },
  'not-found': { status: 404, title: 'Not found' },
  'method-not-allowed': { status: 405, title: 'Method not allowed' },
  conflict: { status: 409, title: 'Conflict' },
  'too-large': { status: 413, title: 'Too large' },
  'unsupported-media-type': { status: 415, title: 'Unsupported media type' },
  'too-many-requests': { status: 429, title: 'Too many requests' },
  internal: { status: 500, title: 'Internal error' },
  unavailable: { status: 503, title: 'Unavailable' },
};

/**
 * Answers every error as RFC 9457 problem+json; an error that is not an AppError is logged and answered as an internal error.
 */
export function answerProblems(logger: Logger): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    const refusal = toRefusal(error);
    if (refusal === null) logger.error({ requestId: String(request.id), err: toLoggedError(error) }, 'request failed');
    else if (refusal.code === 'unavailable') {
      // trouble of the database is logged when it begins, not again with every request
      const level = databaseTrouble(error) === null ? 'warn' : 'debug';
      logger[level]({ requestId: String(request.id), err: toLoggedError(refusal.cause ?? refusal) }, 'unavailable');
    }
    if (response.headersSent) return next(error);
    endIfMuchIsUnread(request, response);
    sendProblem(response, String(request.id), refusal);
  };
}

/** For paths without a route. @throws AppError `not-found`, always. */
export const answerNotFound: RequestHandler = (request) => {
  throw new AppError('not-found', `There is no ${request.method} ${shownPath(request)}; see /docs for what there is.`);
};

/** A path as answers repeat it: a long one would make them longer than 64 KB. */
export function shownPath({ path }: Pick<Request, 'path'>): string {
  return path.slice(0, 200);
}

function sendProblem(response: Response, requestId: string, refusal: AppError | null): void {
  const code = refusal?.code ?? 'internal';
  const { status, title } = HTTP[code];
  const message = refusal?.message ?? `Something went wrong on our side; the log has it under request id ${requestId}.`;
  const retryAfterSeconds = refusal?.retryAfterSeconds ?? (code === 'unavailable' ? RETRY_AFTER_SECONDS : null);
  if (retryAfterSeconds !== null) response.set('Retry-After', String(retryAfterSeconds));
  if (code === 'unauthorized') response.set('WWW-Authenticate', 'Bearer realm="defib"');
  const body: z.input<typeof problemAnswer> = {
    type: `urn:defib:problem:${code}`,
    title,
    status,
    detail: message,
    error: message,
    errors: [...(refusal?.problems ?? [])],
    instance: `urn:defib:request:${requestId}`,
    requestId,
  };
  response.status(status).type('application/problem+json').send(JSON.stringify(body));
}

function toRefusal(error: unknown): AppError | null {
  if (error instanceof AppError) return error;
  const away = databaseTrouble(error);
  if (away !== null) return unavailable(`${capitalized(away.message)}; try again in a moment.`, error);
  return toBodyRefusal(error);
}

function capitalized(sentence: string): string {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}

/** The refusal that is answered as 503 with a Retry-After. */
export function unavailable(message: string, cause?: unknown): AppError {
  return new AppError('unavailable', message, { cause });
}

/** A refusal by Express or its body parser. Their messages may quote the body, so ours replace them. */
function toBodyRefusal(error: unknown): AppError | null {
  if (!(error instanceof Error)) return null;
  const type = 'type' in error ? error.type : null;
  const status = 'status' in error ? Number(error.status) : 0;
  if (type === 'entity.too.large') return new AppError('too-large', 'The body is larger than 1 MB; send less at once.');
  if (type === 'entity.parse.failed') return new AppError('bad-request', 'The body is not valid JSON.');
  if (status === 415) return new AppError('unsupported-media-type', 'The body must be JSON in UTF-8.');
  if (error instanceof URIError) return new AppError('bad-request', 'The path is not validly percent-encoded.');
  return status >= 400 && status < 500 ? new AppError('bad-request', 'The request could not be read.') : null;
}
