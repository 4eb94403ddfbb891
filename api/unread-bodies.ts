import type { Request, RequestHandler } from 'express';

/** What is left of a body of this length Node reads at little cost, so that its connection can be used again. */
const MAX_LEFT_BYTES = 1024 * 1024;
/** So long the sender may read the answer before his connection is closed. */
const LINGER_MS = 1_000;

/**
 * Ends the connection of a request with a long body, or one of unknown length, after its answer, and reads no more of it then. Node would
 * read a body to its end, up to its limit of 5 minutes, and be called back for each chunk: a few connections with chunks of one byte
 * would keep the process busy, without a token. The sender has a second to read the answer: one that is still writing would otherwise
 * find the connection reset (RFC 9112 9.6).
 */
export const endUnreadBodies: RequestHandler = (request, response, next) => {
  if (isLong(request)) {
    const { socket } = request;
    response.set('Connection', 'close');
    // Node calls it after the answer
    socket.destroySoon = () => {
      socket.end();
      setTimeout(() => socket.destroy(), LINGER_MS).unref();
      // a moment later, because Node begins to read the rest now
      setImmediate(() => socket.pause());
    };
  }
  next();
};

function isLong({ headers }: Pick<Request, 'headers'>): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > MAX_LEFT_BYTES;
}
