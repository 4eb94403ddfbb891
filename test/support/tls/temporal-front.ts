import { once } from 'node:events';
import {
  type ClientHttp2Session,
  connect,
  createSecureServer,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Authority, Certificate } from './authority.ts';

/** One gRPC call as it arrived. */
export interface FrontCall {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** CN of the client's certificate, where it showed one. */
  readonly client: string | undefined;
}

/** A TLS server in front of a Temporal server that has none, as a cluster or Temporal Cloud is reached. */
export interface TemporalFront {
  readonly port: number;
  /** Every call so far. */
  readonly calls: readonly FrontCall[];
  stop(): Promise<void>;
}

export interface FrontOptions {
  /** The server's own certificate. */
  readonly certificate: Certificate;
  /** Without one of its certificates nobody gets in. */
  readonly clientsOf?: Authority;
  /** Calls that are refused with PERMISSION_DENIED, as Temporal Cloud refuses those of operators. */
  readonly refuses?: RegExp;
}

/** https://grpc.github.io/grpc/core/md_doc_statuscodes.html */
const PERMISSION_DENIED = 7;

/** Starts it on 127.0.0.1: it ends TLS, notes what arrives, and passes it on in plain HTTP/2. */
export async function startTemporalFront(address: string, options: FrontOptions): Promise<TemporalFront> {
  const { certificate, clientsOf, refuses } = options;
  const calls: FrontCall[] = [];
  const sessions = new Map<ServerHttp2Session, ClientHttp2Session>();
  const server = createSecureServer({
    cert: certificate.cert,
    key: certificate.key,
    ...(clientsOf ? { ca: clientsOf.ca, requestCert: true, rejectUnauthorized: true } : {}),
  });
  server.on('session', (session) => {
    const behind = connect(`http://${address}`);
    sessions.set(session, behind);
    behind.on('error', () => session.destroy());
    session.on('error', () => behind.destroy());
    session.once('close', () => {
      behind.destroy();
      sessions.delete(session);
    });
  });
  server.on('stream', (stream, headers) => {
    const path = String(headers[':path']);
    const { session } = stream;
    const certificateOfClient = (session?.socket as TLSSocket | undefined)?.getPeerCertificate();
    calls.push({ path, headers, client: certificateOfClient?.subject?.CN?.toString() });
    const behind = sessions.get(session as ServerHttp2Session);
    stream.on('error', () => undefined);
    if (refuses?.test(path)) refuse(stream);
    else if (behind) passOn(stream, headers, behind);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    calls,
    async stop() {
      for (const session of sessions.keys()) session.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function refuse(stream: ServerHttp2Stream): void {
  const trailers = { 'grpc-status': PERMISSION_DENIED, 'grpc-message': 'Request unauthorized.' };
  stream.respond({ ':status': 200, 'content-type': 'application/grpc', ...trailers }, { endStream: true });
}

function passOn(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, behind: ClientHttp2Session): void {
  const { ':authority': _, ':scheme': __, ...passed } = headers;
  const request = behind.request(passed as OutgoingHttpHeaders);
  let trailers: IncomingHttpHeaders = {};
  request.on('error', () => stream.destroy());
  stream.on('close', () => request.close());
  request.on('response', (answer) => {
    // an answer without a body has its status among the headers
    if (answer['grpc-status'] !== undefined) return stream.respond(answer, { endStream: true });
    stream.respond(answer, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers(trailers));
    request.pipe(stream);
  });
  request.on('trailers', (received) => {
    trailers = received;
  });
  stream.pipe(request);
}
