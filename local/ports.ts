import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { StartError } from '../workers/start-error.ts';

/** The settings that choose a port, as the user knows them. */
export type PortSetting = 'PORT' | 'TEMPORAL_PORT' | 'TEMPORAL_UI_PORT' | 'POSTGRES_PORT';

/** Whether something could listen on this TCP port of 127.0.0.1 now. */
export async function isPortFree(port: number): Promise<boolean> {
  const server = await listen(port).catch(() => undefined);
  if (server === undefined) return false;
  await close(server);
  // Binding alone is not enough: on some systems a listener on 0.0.0.0 does not stop one on 127.0.0.1.
  return !(await answers(port));
}

/**
 * Promises that the port is free on 127.0.0.1 at this moment.
 * @throws StartError in one line that names the setting to change.
 */
export async function requireFreePort(port: number, setting: PortSetting, what: string): Promise<void> {
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new StartError(`${setting}=${port} is not a port: use a number from 1 to 65535.`);
  }
  if (!(await isPortFree(port))) throw portTaken(port, setting, what);
}

/** The error for a port that is in use. */
export function portTaken(port: number, setting: PortSetting, what: string): StartError {
  return new StartError(
    `${what} can't listen on 127.0.0.1:${port}: the port is in use. Stop what uses it, or choose another port with ${setting}=…`,
  );
}

/** Below the ports that systems give to outgoing connections: one of those may be taken at any moment. */
const CHOSEN_PORTS = [15_000, 30_000] as const;

/** Different ports of 127.0.0.1 that were free a moment ago and are none of `reserved`, for servers whose ports nobody has to know. */
export async function findFreePorts(count: number, reserved: readonly number[] = []): Promise<number[]> {
  const servers: Server[] = [];
  // All are held until the last is found, or the same one might be found twice.
  while (servers.length < count) {
    const port = randomInt(...CHOSEN_PORTS);
    const server = reserved.includes(port) ? undefined : await listen(port).catch(() => undefined);
    if (server !== undefined) servers.push(server);
  }
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map(close));
  return ports;
}

/** One port of 127.0.0.1 that was free a moment ago. */
export async function findFreePort(): Promise<number> {
  const [port = 0] = await findFreePorts(1);
  return port;
}

/** Whether something accepts connections on this port of 127.0.0.1. */
export async function answers(port: number): Promise<boolean> {
  const socket = connect({ port, host: '127.0.0.1' });
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(1_000) });
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function listen(port: number): Promise<Server> {
  const server = createServer().listen({ port, host: '127.0.0.1', exclusive: true });
  await once(server, 'listening');
  return server;
}

async function close(server: Server): Promise<void> {
  server.close();
  await once(server, 'close');
}
