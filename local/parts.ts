import { migrate } from '../db/migrate.ts';
import type { Settings } from '../domain/settings.ts';
import type { GivenConnections } from '../workers/connections.ts';
import { type KeptPart, keepRunning } from './keep-running.ts';
import { type Servers, startServers } from './servers.ts';
import type { ToWorker } from './worker-orders.ts';
import { type RunningWorkerProcess, startWorkerProcess } from './worker-process.ts';

/** What `npm start` runs in processes of their own: Postgres, Temporal and the worker. Each is started again when it ends. */
export interface Parts {
  /** Resolves once Postgres and Temporal run and the database is migrated. */
  readonly servers: Promise<Servers>;
  /** Resolves once the worker looks and heals. */
  readonly worker: Promise<unknown>;
  /** Rejects with a StartError when one of them has ended too often. Ask once all of them run. */
  readonly givenUp: () => Promise<never>;
  /** The worker first, because it uses the others; also what is still being started. */
  readonly stop: () => Promise<void>;
}

/** Starts all of them side by side: the worker loads while its servers start. */
export function startParts(
  settings: Settings,
  given: GivenConnections,
  dataDir: string,
  say: (line: string) => void,
  warn: (line: string) => void,
): Parts {
  const kept: KeptPart[] = [];
  const ownPorts = new Set<number>();
  let workerProcess: RunningWorkerProcess | undefined;
  const tellOwnPorts = () => workerProcess?.tell({ kind: 'own-ports', ports: [...ownPorts] });

  const started = startServers({
    settings,
    given,
    dataDir,
    parts: kept,
    portsOpened(ports) {
      ownPorts.clear();
      for (const port of ports) ownPorts.add(port);
      tellOwnPorts();
    },
    say,
    warn,
  });
  const servers = started.then(async ({ connections, ...others }) => {
    await migrate(connections.databaseUrl);
    return { ...others, connections: { ...connections, ownPorts } };
  });
  const worker = keepRunning('The worker', startWorker, warn);
  // whoever awaits them learns of it
  for (const promise of [servers, worker]) promise.catch(() => undefined);

  return {
    servers,
    worker,
    givenUp: async () => Promise.race([...kept, await worker].map((part) => part.givenUp)),
    async stop() {
      await Promise.allSettled([servers, worker]);
      await (await worker.catch(() => null))?.stop();
      for (const server of kept.toReversed()) await server.stop();
    },
  };

  async function startWorker(): Promise<RunningWorkerProcess> {
    workerProcess = await startWorkerProcess(dataDir, begin());
    // they may have changed while it started
    tellOwnPorts();
    return workerProcess;
  }

  async function begin(): Promise<ToWorker> {
    const { connections } = await servers;
    await Promise.all(kept.map((server) => server.running()));
    return { kind: 'begin', settings, connections: { ...connections, ownPorts: [...ownPorts] } };
  }
}
