import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import type { Activities } from '../../activities/contract.ts';
import { findFreePort } from '../../local/ports.ts';
import { findTemporalProgram } from '../../local/temporal-finder.ts';
import { startTemporalServer } from '../../local/temporal-server.ts';
import { ensureSearchAttributes } from '../../temporal/namespace.ts';
import { makeRunFolder } from './leftover-runs.ts';
import { installQuietRuntime, runWorkers } from './run-workers.ts';

/** A real Temporal server for one test file alone: workflows and task queues have their real names on it. */
export interface OwnTemporal {
  address: string;
  client: Client;
  connection: Connection;
  stop(): Promise<void>;
}

/** @throws StartError when there is no program to start one with. */
export async function startOwnTemporal(): Promise<OwnTemporal> {
  const folder = makeRunFolder();
  const { path } = await findTemporalProgram();
  const dataDir = join(folder.path, 'temporal');
  const server = await startTemporalServer({ path, dataDir, port: await findFreePort(), throwaway: true });
  const connection = await Connection.connect({ address: server.address });
  await ensureSearchAttributes(connection, server.namespace);
  return {
    address: server.address,
    client: new Client({ connection, namespace: server.namespace }),
    connection,
    async stop() {
      await connection.close();
      await server.stop();
      folder.remove();
    },
  };
}

/** Runs the real workflows on it with the activities of a test. Resolves with what stops them. */
export async function startWorkersOn(
  temporal: OwnTemporal,
  activities: Activities,
  site?: string,
): Promise<() => Promise<void>> {
  installQuietRuntime();
  const connection = await NativeConnection.connect({ address: temporal.address });
  const stopWorkers = await runWorkers(connection, activities, site === undefined ? {} : { site });
  return async () => {
    await stopWorkers();
    await connection.close();
  };
}
