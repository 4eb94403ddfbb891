import type { Request, RequestHandler, Response } from 'express';

/** What is left of a body of this length Node reads at little cost, so that its connection can be used again. */
const MAX_LEFT_BYTES = 64 * 1024;
/** Longer ones are refused in any case. */
const MAX_BODY_BYTES = 1024 * 1024;
/** So long the sender may read the answer before his connection is closed. */
const LINGER_MS = 1_000;

/** Ends the connection of a request whose body has no known length, or one that is refused in any case, after its answer. */
export const endUnreadBodies: RequestHandler = (request, response, next) => {
  if (isLongerThan(request, MAX_BODY_BYTES)) endAfterAnswer(request, response);
  next();
};

/** Ends the connection of a refused request after its answer when much of its body may be unread. */
export function endIfMuchIsUnread(request: Request, response: Response): void {
  if (!request.complete && isLongerThan(request, MAX_LEFT_BYTES)) endAfterAnswer(request, response);
}

/**
 * Ends a connection after the answer, and reads no more of the body then. Node would read a body to its end, up to its limit of 5
 * minutes, and be called back for each chunk: a few connections with chunks of one byte would keep the process busy, without a
 * token. The sender has a second to read the answer: one that is still writing would otherwise find the connection reset
 * (RFC 9112 9.6).
 */
function endAfterAnswer({ socket }: Request, response: Response): void {
  response.set('Connection', 'close');
  // Node calls it after the answer
  socket.destroySoon = () => {
    socket.end();
    setTimeout(() => socket.destroy(), LINGER_MS).unref();
    // a moment later, because Node begins to read the rest now
    setImmediate(() => socket.pause());
  };
}

function isLongerThan({ headers }: Pick<Request, 'headers'>, bytes: number): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > bytes;
}
