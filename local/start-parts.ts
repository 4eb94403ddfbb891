import { join } from 'node:path';
import type { Settings } from '../domain/settings.ts';
import type { Connections } from '../workers/connections.ts';
import { startPostgres } from './embedded-postgres.ts';
import { requirePostgres, requireTemporal } from './given-parts.ts';
import { requireFreePort } from './ports.ts';
import { findTemporalServer, startTemporalServer } from './temporal-server.ts';

/** Where the CLI looks for a server that nobody names. */
const CLI_PORT = 7233;

export interface StartedParts {
  connections: Connections;
  /** Where the Web UI is; null for a Temporal that isn't ours. */
  uiUrl: string | null;
  /** The temporal CLI with the flags that reach the server; null for a Temporal that isn't ours. */
  cli: string | null;
  /** Each rejects when a part of ours ends by itself. */
  ended: Promise<never>[];
  stop(): Promise<void>;
}

/** Postgres and Temporal, each ours unless a setting names another, started side by side. */
export async function startParts(
  settings: Settings,
  dataDir: string,
  log: (line: string) => void,
): Promise<StartedParts> {
  await requireFreePort(settings.PORT, 'PORT', 'The API');
  const results = await Promise.allSettled([ownOrGivenPostgres(), ownOrGivenTemporal()]);
  const failed = results.find((result) => result.status === 'rejected');
  const [postgres, temporal] = results.map((result) => (result.status === 'fulfilled' ? result.value : null));
  const stop = async (): Promise<void> => {
    await temporal?.stop();
    await postgres?.stop();
  };
  if (failed || !postgres || !temporal) {
    await stop();
    throw failed?.reason;
  }
  return {
    connections: {
      databaseUrl: postgres.address,
      temporalAddress: temporal.address,
      namespace: settings.TEMPORAL_NAMESPACE,
    },
    uiUrl: temporal.uiUrl,
    cli: temporal.cli,
    ended: [postgres, temporal].flatMap((part) => (part.ended ? [part.ended] : [])),
    stop,
  };

  async function ownOrGivenPostgres(): Promise<Part> {
    if (settings.DATABASE_URL !== undefined) {
      await requirePostgres(settings.DATABASE_URL);
      return given(settings.DATABASE_URL);
    }
    const server = await startPostgres({ dataDir: join(dataDir, 'postgres'), port: settings.POSTGRES_PORT, log });
    const ended = endsOnlyWhenAsked('Postgres', server.exited);
    return { ...given(server.url), ended, stop: server.stop };
  }

  async function ownOrGivenTemporal(): Promise<Part> {
    const source = await findTemporalServer({
      environment: { ...process.env, TEMPORAL_ADDRESS: settings.TEMPORAL_ADDRESS },
      log,
    });
    if (source.kind === 'address') {
      await requireTemporal(source.address, settings.TEMPORAL_NAMESPACE);
      return given(source.address);
    }
    const server = await startTemporalServer({
      path: source.path,
      dbFile: join(dataDir, 'temporal', 'temporal.db'),
      port: settings.TEMPORAL_PORT,
      uiPort: settings.TEMPORAL_UI_PORT,
      namespace: settings.TEMPORAL_NAMESPACE,
      retentionDays: settings.HEAL_RETENTION_DAYS,
      log,
    });
    const ended = endsOnlyWhenAsked('Temporal', server.exited);
    const cli = [
      source.from === 'PATH' ? 'temporal' : source.path,
      ...(settings.TEMPORAL_PORT === CLI_PORT ? [] : ['--address', server.address]),
      ...(settings.TEMPORAL_NAMESPACE === 'default' ? [] : ['--namespace', settings.TEMPORAL_NAMESPACE]),
    ].join(' ');
    return { address: server.address, uiUrl: server.uiUrl ?? null, cli, ended, stop: server.stop };
  }
}

interface Part {
  address: string;
  uiUrl: string | null;
  cli: string | null;
  ended: Promise<never> | null;
  stop(): Promise<void>;
}

function given(address: string): Part {
  return { address, uiUrl: null, cli: null, ended: null, stop: async () => undefined };
}

function endsOnlyWhenAsked(name: string, exited: Promise<void>): Promise<never> {
  const ended = exited.then((): never => {
    throw new Error(`${name} ended by itself; its log is in the data folder`);
  });
  ended.catch(() => undefined);
  return ended;
}
