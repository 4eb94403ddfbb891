import { connect, type Socket } from 'node:net';
import { connect as connectTls, type SecureContext, type TLSSocket } from 'node:tls';
import type { Deadline } from './deadline.ts';

/**
 * Connects to an IP literal that the egress rules permitted.
 * @throws (rejects with) the socket's error, or DeadlinePassed
 */
export function openSocket(address: string, port: number, deadline: Deadline): Promise<Socket> {
  return settled(connect({ host: address, port, noDelay: true }), 'connect', deadline);
}

/** Speaks TLS over an open socket. `host` is the name asked for: it is sent as SNI and must be in the certificate. */
export function secureSocket(
  socket: Socket,
  host: string,
  tls: { verify: boolean; context: SecureContext },
  deadline: Deadline,
): Promise<TLSSocket> {
  const secured = connectTls({
    socket,
    host,
    // RFC 6066 forbids IP literals in SNI
    servername: /[:]|^[\d.]+$/.test(host) ? '' : host,
    rejectUnauthorized: tls.verify,
    secureContext: tls.context,
    ALPNProtocols: ['http/1.1'],
  });
  return settled(secured, 'secureConnect', deadline);
}

function settled<T extends Socket>(socket: T, event: 'connect' | 'secureConnect', deadline: Deadline): Promise<T> {
  return new Promise((resolve, reject) => {
    const { signal } = deadline;
    const stop = () => socket.destroy(signal.reason);
    // stays for good: a socket's late error must not end the process
    socket.on('error', (error) => {
      signal.removeEventListener('abort', stop);
      socket.destroy();
      reject(error);
    });
    socket.once(event, () => {
      signal.removeEventListener('abort', stop);
      resolve(socket);
    });
    if (signal.aborted) return stop();
    signal.addEventListener('abort', stop, { once: true });
  });
}
