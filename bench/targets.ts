/**
 * A process that all VMs of the bench are looked at: HTTP/1.1 by hand, as cheap as can be, since it runs on the same
 * cores. GET /vm/<id> answers 200 (500 for VMs told to fail); when each request arrived goes to the bench. A connection
 * that asks nothing is a tcp check.
 */
import { createServer, type Socket } from 'node:net';
import type { Arrival, FromTargets, ToTargets } from './start-targets.ts';

const TELL_EVERY_MS = 50;
const OK = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n');
const BROKEN = Buffer.from('HTTP/1.1 500 Broken\r\nContent-Length: 7\r\nConnection: close\r\n\r\nbroken\n');

const failing = new Set<string>();
let arrivals: Arrival[] = [];

const server = createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => undefined);
  socket.on('end', () => socket.end());
  socket.once('data', (chunk) => answer(socket, chunk, Date.now()));
});

/** The checks send their whole request in one segment. */
function answer(socket: Socket, chunk: Buffer, atMs: number): void {
  const label = chunk.toString('latin1', 0, 80).split(' ', 2)[1]?.slice('/vm/'.length) ?? '';
  const ok = !failing.has(label);
  arrivals.push({ label, atMs, ok });
  socket.end(ok ? OK : BROKEN);
}

setInterval(() => {
  if (arrivals.length === 0) return;
  tell({ arrivals });
  arrivals = [];
}, TELL_EVERY_MS);

process.on('message', ({ labels, failing: broken }: ToTargets) => {
  for (const label of labels) {
    if (broken) failing.add(label);
    else failing.delete(label);
  }
});
// the bench ends it; Ctrl-C in a terminal reaches both
process.on('SIGINT', () => undefined);
process.on('disconnect', () => process.exit(0));

server.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 }, () => {
  const address = server.address();
  if (typeof address === 'object' && address !== null) tell({ port: address.port });
});

function tell(message: FromTargets): void {
  process.send?.(message);
}
