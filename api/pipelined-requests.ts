import type { Socket } from 'node:net';
import type { RequestHandler } from 'express';

/** Browsers, proxies and our agents send one request after the other. */
const MAX_AT_ONCE = 30;

/**
 * Ends a connection that has sent more than a few requests without waiting for answers (pipelining, RFC 9112 9.3.2). Node hands all those
 * of one read over in a row, some 1,800, and nothing else would have its turn before all of them are answered.
 */
export function limitPipelined(): RequestHandler {
  /** Requests of a connection in this turn of the event loop. */
  const atOnce = new WeakMap<Socket, number>();
  return ({ socket }, _response, next) => {
    if (socket.destroyed) return;
    const count = (atOnce.get(socket) ?? 0) + 1;
    if (count === 1) setImmediate(() => atOnce.delete(socket));
    atOnce.set(socket, count);
    if (count > MAX_AT_ONCE) socket.destroy();
    else next();
  };
}
