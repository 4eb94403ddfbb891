import { join } from 'node:path';
import type { Settings } from '../domain/settings.ts';
import type { Connections, GivenConnections } from '../workers/connections.ts';
import { requirePostgres } from '../workers/require-postgres.ts';
import { requireTemporal, type TemporalServer } from '../workers/temporal-connection.ts';
import { startPostgres } from './embedded-postgres.ts';
import { environment } from './environment.mjs';
import { type KeptPart, keepRunning } from './keep-running.ts';
import { findTemporalProgram } from './temporal-finder.ts';
import { startTemporalServer } from './temporal-server.ts';

/** Where the CLI looks for a server that nobody names. */
const CLI_PORT = 7233;

export interface Servers {
  readonly connections: Connections;
  /** Where the Web UI is; null for a Temporal that isn't ours. */
  readonly uiUrl: string | null;
  /** The temporal CLI with the flags that reach the server; null for a Temporal that isn't ours. */
  readonly cli: string | null;
}

export interface ServerOptions {
  readonly settings: Settings;
  /** The servers that the settings name. */
  readonly given: GivenConnections;
  readonly dataDir: string;
  /** Each server that is ours is put here once it runs, also when the other one fails. */
  readonly parts: KeptPart[];
  /** Receives the ports of our Temporal server each time it starts: it opens more than it is asked to. */
  readonly portsOpened: (ports: readonly number[]) => void;
  /** Receives a line about each thing that takes some time or that a person should know. */
  readonly say: (line: string) => void;
  /** Receives what went wrong with a server that ran. */
  readonly warn: (line: string) => void;
}

/**
 * Postgres and Temporal, each ours unless a setting names another, started side by side and kept running.
 * @throws StartError in one line for what a person can put right.
 */
export async function startServers(options: ServerOptions): Promise<Servers> {
  const { settings, given, dataDir, parts, portsOpened, say, warn } = options;
  const started = [ownOrGivenPostgres(), ownOrGivenTemporal()] as const;
  await Promise.allSettled(started);
  const [databaseUrl, { uiUrl, cli, ...temporal }] = await Promise.all(started);
  return { connections: { databaseUrl, ...temporal, allOnThisMachine: true }, uiUrl, cli };

  async function ownOrGivenPostgres(): Promise<string> {
    if (given.databaseUrl !== undefined) {
      await requirePostgres(given.databaseUrl);
      return given.databaseUrl;
    }
    const port = settings.POSTGRES_PORT;
    let url = '';
    const start = async () => {
      const postgres = await startPostgres({ dataDir: join(dataDir, 'postgres'), port, log: say });
      url = postgres.url;
      return postgres;
    };
    parts.push(await keepRunning('Postgres', start, warn));
    return url;
  }

  async function ownOrGivenTemporal(): Promise<Pick<Servers, 'uiUrl' | 'cli'> & TemporalServer> {
    if (given.temporal !== undefined) {
      const { address: temporalAddress, access: temporalAccess, namespace } = given.temporal;
      const server = { temporalAddress, temporalAccess, namespace };
      await requireTemporal(server);
      return { ...server, uiUrl: null, cli: null };
    }
    const { TEMPORAL_PORT: port, TEMPORAL_UI_PORT: uiPort, TEMPORAL_NAMESPACE: namespace = 'default' } = settings;
    const source = await findTemporalProgram({ environment, log: say });
    let used = { temporalAddress: '', uiUrl: '' };
    const start = async () => {
      const temporal = await startTemporalServer({
        path: source.path,
        dataDir: join(dataDir, 'temporal'),
        port,
        uiPort,
        namespace,
        retentionDays: settings.HEAL_RETENTION_DAYS,
        log: say,
      });
      portsOpened(temporal.ports);
      used = { temporalAddress: temporal.address, uiUrl: temporal.uiUrl ?? '' };
      return temporal;
    };
    parts.push(await keepRunning('Temporal', start, warn));
    const cli = [
      source.from === 'PATH' ? 'temporal' : source.path,
      ...(port === CLI_PORT ? [] : ['--address', used.temporalAddress]),
      ...(namespace === 'default' ? [] : ['--namespace', namespace]),
    ].join(' ');
    return { ...used, namespace, cli };
  }
}
