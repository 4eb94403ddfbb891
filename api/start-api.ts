import { createServer, type Server } from 'node:http';
import { createApi } from './create-api.ts';
import type { ApiDependencies } from './dependencies.ts';
import { startListeningMarks } from './listening-marks.ts';

export interface RunningApi {
  /** E.g. `http://127.0.0.1:3000`. */
  url: string;
  /** Takes no new requests, lets those under way finish within `graceMs`, and stops marking. */
  close(graceMs?: number): Promise<void>;
}

/**
 * Serves the API. Rejects with the system's error when the port can't be had (EADDRINUSE, EACCES). The database stays
 * open at `close`: it is the caller's.
 */
export async function startApi(
  deps: ApiDependencies,
  { host, port }: { host: string; port: number },
): Promise<RunningApi> {
  const server = createServer(createApi(deps).app);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const marks = startListeningMarks(deps);
  const address = server.address();
  const bound = typeof address === 'object' && address !== null ? address.port : port;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    async close(graceMs = 5_000) {
      await marks.stop();
      await closeServer(server, graceMs);
    },
  };
}

async function closeServer(server: Server, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearTimeout(timer);
}
