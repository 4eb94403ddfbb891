import { join } from 'node:path';
import type { Settings } from '../domain/settings.ts';
import type { Connections } from '../workers/connections.ts';
import { startPostgres } from './embedded-postgres.ts';
import { environment } from './environment.mjs';
import { requirePostgres, requireTemporal } from './given-servers.ts';
import { findTemporalServer } from './temporal-finder.ts';
import { startTemporalServer } from './temporal-server.ts';

/** Where the CLI looks for a server that nobody names. */
const CLI_PORT = 7233;

/** Something that `npm start` runs until it is stopped. */
export interface Part {
  readonly name: string;
  /** Settles when it has ended, asked for or not; null for one that never ends by itself. */
  readonly ended: Promise<unknown> | null;
  readonly stop: () => Promise<void>;
}

export interface Servers {
  readonly connections: Connections;
  /** Where the Web UI is; null for a Temporal that isn't ours. */
  readonly uiUrl: string | null;
  /** The temporal CLI with the flags that reach the server; null for a Temporal that isn't ours. */
  readonly cli: string | null;
}

/** The Temporal server that was found or started. */
interface TemporalInUse extends Pick<Servers, 'uiUrl' | 'cli'> {
  readonly address: string;
  /** All that it listens on here, where it is ours. */
  readonly ownPorts: readonly number[];
}

/**
 * Postgres and Temporal, each ours unless a setting names another, started side by side. Each that is ours is put into
 * `parts` once it runs, also when the other one fails.
 * @throws StartError in one line for what a person can put right.
 */
export async function startServers(
  settings: Settings,
  dataDir: string,
  parts: Part[],
  log: (line: string) => void,
): Promise<Servers> {
  const started = [ownOrGivenPostgres(), ownOrGivenTemporal()] as const;
  await Promise.allSettled(started);
  const [databaseUrl, temporal] = await Promise.all(started);
  const { address: temporalAddress, ownPorts, uiUrl, cli } = temporal;
  const namespace = settings.TEMPORAL_NAMESPACE;
  return { connections: { databaseUrl, temporalAddress, namespace, ownPorts, allOnThisMachine: true }, uiUrl, cli };

  async function ownOrGivenPostgres(): Promise<string> {
    const { DATABASE_URL: given, POSTGRES_PORT: port } = settings;
    if (given !== undefined) {
      await requirePostgres(given);
      return given;
    }
    const { url, exited, stop } = await startPostgres({ dataDir: join(dataDir, 'postgres'), port, log });
    parts.push({ name: 'Postgres', ended: exited, stop });
    return url;
  }

  async function ownOrGivenTemporal(): Promise<TemporalInUse> {
    const { TEMPORAL_ADDRESS, TEMPORAL_PORT: port, TEMPORAL_UI_PORT: uiPort, TEMPORAL_NAMESPACE: namespace } = settings;
    const source = await findTemporalServer({ environment: { ...environment, TEMPORAL_ADDRESS }, log });
    if (source.kind === 'address') {
      await requireTemporal(source.address, namespace);
      return { address: source.address, ownPorts: [], uiUrl: null, cli: null };
    }
    const { address, ports, uiUrl, exited, stop } = await startTemporalServer({
      path: source.path,
      dataDir: join(dataDir, 'temporal'),
      port,
      uiPort,
      namespace,
      retentionDays: settings.HEAL_RETENTION_DAYS,
      log,
    });
    parts.push({ name: 'Temporal', ended: exited, stop });
    const cli = [
      source.from === 'PATH' ? 'temporal' : source.path,
      ...(port === CLI_PORT ? [] : ['--address', address]),
      ...(namespace === 'default' ? [] : ['--namespace', namespace]),
    ].join(' ');
    return { address, ownPorts: ports, uiUrl: uiUrl ?? null, cli };
  }
}
