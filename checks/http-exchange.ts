import type { Socket } from 'node:net';
import { Client, type Dispatcher, errors } from 'undici';
import type { Deadline } from './deadline.ts';
import { excerpt } from './probe-result.ts';

/** What came back. With an error, as far as it came; statusCode is null when no status line did. */
export interface Exchange {
  statusCode: number | null;
  location: string | null;
  /** The first 500 characters, decoded as UTF-8 with replacement. */
  body: string;
  error: unknown;
}

/** After this much of a body the answer counts as complete. */
const MAX_BODY_BYTES = 64 * 1024;
/**
 * Of all that a server sends: headers take 16 KB at most. One that announces its answer for ever (1xx), or never ends a status line or
 * the head of a chunk, would keep this process busy until the deadline.
 */
const MAX_ANSWER_BYTES = 256 * 1024;
/** 500 characters take at most 2,000 bytes in UTF-8. */
const KEPT_BODY_BYTES = 2_048;
/** Only undici's bookkeeping: the socket is connected already, and the Host header is the URL's. */
const ORIGIN = 'http://target';

/**
 * One GET over a socket that is already connected (and secured), which is closed afterwards. Always resolves, at the
 * latest when the deadline passes. `endsAtHeaders` says for which answers the body does not matter.
 */
export function exchange(
  socket: Socket,
  url: URL,
  deadline: Deadline,
  endsAtHeaders: (statusCode: number, location: string | null) => boolean,
): Promise<Exchange> {
  return new Promise((resolve) => {
    // A client per look is the cheapest right way: a shared Agent costs a third more and keys connections by origin
    // alone, so that two VMs with different permissions would share one.
    const client = new Client(ORIGIN, {
      connect: (_, connected) => queueMicrotask(() => connected(null, socket)),
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    const seen: Exchange = { statusCode: null, location: null, body: '', error: null };
    const kept: Buffer[] = [];
    let bodyBytes = 0;
    let done = false;
    const stop = () => finish(deadline.signal.reason);
    const finish = (error: unknown) => {
      if (done) return;
      done = true;
      deadline.signal.removeEventListener('abort', stop);
      resolve({ ...seen, body: decode(kept), error });
      socket.destroy();
      void client.destroy(OVER).catch(() => undefined);
    };
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart: () => undefined,
      onResponseStart: (_, statusCode, headers) => {
        // 1xx only announces the answer
        if (statusCode < 200) return;
        seen.statusCode = statusCode;
        seen.location = [headers.location].flat()[0] ?? null;
        if (endsAtHeaders(statusCode, seen.location)) finish(null);
      },
      onResponseData: (_, chunk) => {
        if (bodyBytes < KEPT_BODY_BYTES) kept.push(chunk.subarray(0, KEPT_BODY_BYTES - bodyBytes));
        bodyBytes += chunk.length;
        if (bodyBytes >= MAX_BODY_BYTES) finish(null);
      },
      onResponseEnd: () => finish(null),
      onResponseError: (_, error) => finish(error),
    };
    if (deadline.signal.aborted) return stop();
    deadline.signal.addEventListener('abort', stop, { once: true });
    const bytesBefore = socket.bytesRead;
    socket.on('readable', () => {
      if (socket.bytesRead - bytesBefore > MAX_ANSWER_BYTES) finish(new errors.HTTPParserError('it does not end'));
    });
    // the socket may have died between being connected and being handed over: undici would not notice
    socket.once('close', () => {
      if (!done) setImmediate(() => finish(new errors.SocketError('other side closed')));
    });
    const headers = { host: url.host, 'user-agent': 'defib', accept: '*/*' };
    client.dispatch({ method: 'GET', path: `${url.pathname}${url.search}`, headers, reset: true }, handler);
  });
}

/** Made once: making an error for every client that is destroyed costs more than destroying it. */
const OVER = new Error('the look is over');

function decode(kept: readonly Buffer[]): string {
  // as a stream: a character cut at the end is left out instead of replaced
  return excerpt(new TextDecoder().decode(Buffer.concat(kept), { stream: true }));
}
