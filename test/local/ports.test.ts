import { createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { findFreePort, findFreePorts, isPortFree, requireFreePort } from '../../local/ports.ts';

let server: Server | undefined;
afterEach(() => new Promise<void>((resolve) => (server === undefined ? resolve() : server.close(() => resolve()))));

async function occupy(host: string): Promise<number> {
  const port = await findFreePort();
  server = createServer();
  await new Promise<void>((resolve) => server!.listen(port, host, resolve));
  return port;
}

describe('a port', () => {
  it.each(['127.0.0.1', '0.0.0.0'])('that somebody listens on at %s is not free', async (host) => {
    const port = await occupy(host);
    expect(await isPortFree(port)).toBe(false);
    await expect(requireFreePort(port, 'TEMPORAL_UI_PORT', 'The Web UI')).rejects.toThrow(
      `The Web UI can't listen on 127.0.0.1:${port}: the port is in use. Stop what uses it, or choose another port with TEMPORAL_UI_PORT=…`,
    );
  });

  it('out of range is refused by the name of its setting', async () => {
    await expect(requireFreePort(70_000, 'PORT', 'The API')).rejects.toThrow('PORT=70000 is not a port');
  });

  it('is found free, several at once all different', async () => {
    const ports = await findFreePorts(5);
    expect(new Set(ports).size).toBe(5);
    for (const port of ports) expect(await isPortFree(port)).toBe(true);
  });
});
