import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { codeOf, connectionReason } from './connection-reason.ts';
import type { TemporalTls } from './temporal-access.ts';

/** Why a Temporal server can't be reached; `isFinal`: it stays so until somebody changes something. */
export interface Unreachable {
  readonly reason: string;
  readonly isFinal: boolean;
}

const TEMPORAL_PORT = 7233;
const ANSWERS_WITHIN_MS = 5_000;
/** These pass while a server starts. */
const PASSING = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'EPIPE',
]);

/** How a client begins, with an empty SETTINGS frame: https://www.rfc-editor.org/rfc/rfc9113#section-3.4 */
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0', 'latin1');
/** Where the type of a frame stands, and that of SETTINGS, with which a server begins. */
const FRAME_TYPE_AT = 3;
const SETTINGS_TYPE = 4;

/**
 * Connects as a gRPC client does, up to the first frame of the server, because Temporal's clients tell no reason when they can't.
 * @returns null when that worked.
 */
export async function whyUnreachable(address: string, tls: TemporalTls | undefined): Promise<Unreachable | null> {
  const { hostname, port } = new URL(`tcp://${address}`);
  const host = hostname.replace(/^\[|\]$/g, '');
  const socket = open(host, Number(port || TEMPORAL_PORT), tls);
  try {
    return await new Promise<Unreachable | null>((resolve) => {
      socket.once('data', (data) => resolve(judge(data)));
      socket.on('error', (error) => {
        resolve({ reason: connectionReason(error), isFinal: !PASSING.has(codeOf(error) ?? '') });
      });
      socket.once('close', () =>
        resolve({ reason: `the connection was ended${tls ? ASKS_US : ASKS_TLS}`, isFinal: false }),
      );
      socket.setTimeout(ANSWERS_WITHIN_MS, () => resolve({ reason: 'there is no answer', isFinal: false }));
      // before, an error of the handshake would be one of this write
      socket.once(tls ? 'secureConnect' : 'connect', () => socket.write(PREFACE));
    });
  } finally {
    socket.destroy();
  }
}

const ASKS_TLS = '; perhaps it wants TLS (TEMPORAL_TLS=true)';
const ASKS_US = '; perhaps it wants a certificate of ours that it trusts';

function open(host: string, port: number, tls: TemporalTls | undefined): Socket {
  if (tls === undefined) return connectPlain({ host, port });
  const { serverName = isIP(host) === 0 ? host : undefined, ca, cert, key } = tls;
  return connectTls({
    host,
    port,
    ALPNProtocols: ['h2'],
    ...(serverName === undefined ? {} : { servername: serverName }),
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined || key === undefined ? {} : { cert, key }),
  });
}

function judge(data: Buffer): Unreachable | null {
  if (data[FRAME_TYPE_AT] === SETTINGS_TYPE) return null;
  return { reason: `it does not speak gRPC here${ASKS_TLS}`, isFinal: true };
}
