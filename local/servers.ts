import { join } from 'node:path';
import type { Settings } from '../domain/settings.ts';
import type { Connections } from '../workers/connections.ts';
import { startPostgres } from './embedded-postgres.ts';
import { environment } from './environment.mjs';
import { requirePostgres, requireTemporal } from './given-servers.ts';
import { type KeptPart, keepRunning } from './keep-running.ts';
import { findTemporalServer } from './temporal-finder.ts';
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
  const { settings, dataDir, parts, portsOpened, say, warn } = options;
  const started = [ownOrGivenPostgres(), ownOrGivenTemporal()] as const;
  await Promise.allSettled(started);
  const [databaseUrl, { address: temporalAddress, uiUrl, cli }] = await Promise.all(started);
  const namespace = settings.TEMPORAL_NAMESPACE;
  return { connections: { databaseUrl, temporalAddress, namespace, allOnThisMachine: true }, uiUrl, cli };

  async function ownOrGivenPostgres(): Promise<string> {
    const { DATABASE_URL: given, POSTGRES_PORT: port } = settings;
    if (given !== undefined) {
      await requirePostgres(given);
      return given;
    }
    let url = '';
    const start = async () => {
      const postgres = await startPostgres({ dataDir: join(dataDir, 'postgres'), port, log: say });
      url = postgres.url;
      return postgres;
    };
    parts.push(await keepRunning('Postgres', start, warn));
    return url;
  }

  async function ownOrGivenTemporal(): Promise<Pick<Servers, 'uiUrl' | 'cli'> & { address: string }> {
    const { TEMPORAL_ADDRESS, TEMPORAL_PORT: port, TEMPORAL_UI_PORT: uiPort, TEMPORAL_NAMESPACE: namespace } = settings;
    const source = await findTemporalServer({ environment: { ...environment, TEMPORAL_ADDRESS }, log: say });
    if (source.kind === 'address') {
      await requireTemporal(source.address, namespace);
      return { address: source.address, uiUrl: null, cli: null };
    }
    let used = { address: '', uiUrl: '' };
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
      used = { address: temporal.address, uiUrl: temporal.uiUrl ?? '' };
      return temporal;
    };
    parts.push(await keepRunning('Temporal', start, warn));
    const cli = [
      source.from === 'PATH' ? 'temporal' : source.path,
      ...(port === CLI_PORT ? [] : ['--address', used.address]),
      ...(namespace === 'default' ? [] : ['--namespace', namespace]),
    ].join(' ');
    return { ...used, cli };
  }
}
