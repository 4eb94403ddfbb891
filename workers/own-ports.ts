import type { GuardSettings } from '../checks/connect-rules.ts';
import type { Settings } from '../domain/settings.ts';
import type { Reached } from './reached.ts';

/** Where Defib's own parts listen: no check ever connects there. */
export function guardSettings(settings: Settings, reached: Reached): GuardSettings {
  const parts = [new URL(reached.databaseUrl), new URL(`tcp://${reached.temporalAddress}`)];
  const ports = parts.map((part) => Number(part.port || (part.protocol.startsWith('postgres') ? 5432 : 7233)));
  return {
    allow: settings.CHECK_TARGETS_ALLOW,
    ownPorts: new Set([
      settings.PORT,
      settings.TEMPORAL_PORT,
      settings.TEMPORAL_UI_PORT,
      settings.POSTGRES_PORT,
      ...ports,
    ]),
    ownHosts: parts.map((part) => part.hostname).filter((host) => host !== ''),
  };
}
