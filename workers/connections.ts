import type { Settings } from '../domain/settings.ts';

/** The parts a process needs, wherever they run. */
export interface Connections {
  databaseUrl: string;
  temporalAddress: string;
  namespace: string;
  /** Further ports of these parts on this machine; no check may connect there. They may change while the process runs. */
  ownPorts?: ReadonlySet<number>;
  /** Whether all of Defib is on this machine, as `npm start` runs it: its administrators may have this machine checked. */
  allOnThisMachine?: boolean;
}

/** From the settings alone, for a process that starts no parts of its own; ends it when one is not named. */
export function connectionsFrom(settings: Settings): Connections {
  const { DATABASE_URL: databaseUrl, TEMPORAL_ADDRESS: temporalAddress, TEMPORAL_NAMESPACE: namespace } = settings;
  if (databaseUrl === undefined || temporalAddress === undefined) {
    process.stderr.write('Set DATABASE_URL and TEMPORAL_ADDRESS: this process starts neither Postgres nor Temporal.\n');
    process.exit(1);
  }
  return { databaseUrl, temporalAddress, namespace };
}
