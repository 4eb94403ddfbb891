import type { Settings } from '../domain/settings.ts';
import type { GivenConnections } from '../workers/connections.ts';
import type { PortSetting } from './ports.ts';

/** The settings whose ports `npm start` opens: those of servers that are named elsewhere are not used. */
export function portsInUse({ databaseUrl, temporal }: GivenConnections): PortSetting[] {
  return [
    'PORT',
    ...(temporal === undefined ? (['TEMPORAL_PORT', 'TEMPORAL_UI_PORT'] as const) : []),
    ...(databaseUrl === undefined ? (['POSTGRES_PORT'] as const) : []),
  ];
}

/** A problem for each port that several of these settings choose. */
export function equalPorts(settings: Pick<Settings, PortSetting>, names: readonly PortSetting[]): string[] {
  const ports = new Set(names.map((name) => settings[name]));
  return [...ports].flatMap((port) => {
    const same = names.filter((name) => settings[name] === port);
    return same.length < 2
      ? []
      : [`${same.join(', ')}: ${same.length === 2 ? 'both' : 'all'} are ${port}, and each needs a port of its own`];
  });
}
