import { once } from 'node:events';
import type { AddressInfo, Server } from 'node:net';
import { createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import type { FactName, Probe, ProbeInput } from '../../checks/check.ts';
import { createEgress, type Resolve } from '../../checks/egress.ts';
import type { EgressSettings } from '../../checks/egress-rules.ts';
import type { FpingOptions } from '../../checks/fping.ts';
import { createProbes } from '../../checks/registry.ts';
import type { ProbeResult } from '../../domain/probe-result.ts';

export interface Surroundings {
  settings?: Partial<EgressSettings>;
  /** What names resolve to; others do not exist. No test asks a real resolver. */
  names?: { [name: string]: readonly string[] };
  resolve?: Resolve;
  interfaces?: readonly string[];
  fping?: FpingOptions;
  authorities?: readonly string[];
  keepBodies?: boolean;
}

/** The real probes behind the real egress rules, on a machine that lets them look at loopback. */
export function probesIn(surroundings: Surroundings = {}): ReadonlyMap<string, Probe> {
  const {
    settings,
    names = {},
    interfaces = ['127.0.0.1', '::1'],
    fping,
    authorities,
    keepBodies = true,
  } = surroundings;
  const egress = createEgress(
    { allow: ['127.0.0.0/8:1-65535', '[::1]:1-65535'], ownPorts: new Set(), ...settings },
    { resolve: surroundings.resolve ?? resolverOf(names), ownAddresses: () => [...interfaces] },
  );
  return createProbes({ egress, fping, authorities, keepBodies });
}

/** One probe, of 127.0.0.1 unless `input` says otherwise. */
export function look(
  type: string,
  input: Partial<ProbeInput<FactName>>,
  surroundings?: Surroundings,
): Promise<ProbeResult> {
  const probe = probesIn(surroundings).get(type);
  if (probe === undefined) throw new Error(`no check of type ${type}`);
  return probe.probe(inputOf(input));
}

/** An input for a probe of a VM at 127.0.0.1; `input` replaces parts of it. */
export function inputOf(input: Partial<ProbeInput<FactName>>): ProbeInput<FactName> {
  return {
    address: '127.0.0.1',
    target: null,
    timeoutMs: 10_000,
    options: {},
    reach: { byAdmin: true, tenantTargets: [] },
    nowMs: 0,
    facts: { heartbeat: { lastHeartbeatAtMs: null, expectedSinceMs: 0, listening: [], staleAfterMs: 1 } },
    ...input,
  };
}

/** Resolves these names, and fails for all others as Node does. */
export function resolverOf(names: { [name: string]: readonly string[] }): Resolve {
  return async (host) => {
    const found = names[host];
    if (found === undefined) throw Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), { code: 'ENOTFOUND' });
    return found;
  };
}

/** Listens on a free loopback port until the test ends. */
export async function listening(server: Server, host = '127.0.0.1'): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, host);
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** A server that says `answer` to whoever has sent anything, and leaves the connection to `then`. */
export function saying(
  answer: string | Buffer,
  then: (socket: Socket) => void = (socket) => socket.end(),
): Promise<number> {
  return listening(
    createServer((socket) => {
      socket.once('data', () => {
        socket.write(answer);
        then(socket);
      });
    }),
  );
}

/** A loopback port on which nobody listens: one that was free a moment ago. */
export async function closedPort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
