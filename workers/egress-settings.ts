import type { EgressSettings } from '../checks/egress-rules.ts';
import type { Settings } from '../domain/settings.ts';
import type { Connections } from './connections.ts';

/** Where checks may connect: what the settings allow, and never Defib's own ports. */
export function egressSettings(settings: Settings, connections: Connections): EgressSettings {
  const parts = [new URL(connections.databaseUrl), new URL(`tcp://${connections.temporalAddress}`)];
  const ports = parts.map((part) => Number(part.port || (part.protocol.startsWith('postgres') ? 5432 : 7233)));
  const { PORT, TEMPORAL_PORT, TEMPORAL_UI_PORT, POSTGRES_PORT } = settings;
  const known = new Set([PORT, TEMPORAL_PORT, TEMPORAL_UI_PORT, POSTGRES_PORT, ...ports]);
  return {
    allow: settings.CHECK_TARGETS_ALLOW,
    refuse: settings.CHECK_TARGETS_REFUSE,
    adminsReachThisMachine: connections.allOnThisMachine === true && settings.CHECK_TARGETS_ALLOW.length === 0,
    ownPorts: { has: (port) => known.has(port) || connections.ownPorts?.has(port) === true },
    ownHosts: parts.map((part) => part.hostname).filter((host) => host !== ''),
  };
}
