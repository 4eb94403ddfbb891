import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime } from '@temporalio/worker';
import type { Activities } from '../../activities/contract.ts';
import { findFreePort } from '../../local/ports.ts';
import { findTemporalServer, startTemporalServer } from '../../local/temporal-server.ts';
import { ensureSearchAttributes } from '../../temporal/namespace.ts';
import { createWorkers } from '../../workers/create-workers.ts';
import { workflowBundle } from '../../workers/workflow-bundle.ts';

/** A real Temporal server for one test file alone: workflows and task queues have their real names on it. */
export interface OwnTemporal {
  address: string;
  client: Client;
  connection: Connection;
  stop(): Promise<void>;
}

export async function startOwnTemporal(): Promise<OwnTemporal> {
  const { TEMPORAL_ADDRESS: _, ...environment } = process.env;
  const source = await findTemporalServer({ environment });
  if (source.kind !== 'program') throw new Error('no Temporal server program');
  const server = await startTemporalServer({ path: source.path, port: await findFreePort() });
  const connection = await Connection.connect({ address: server.address });
  await ensureSearchAttributes(connection, server.namespace);
  return {
    address: server.address,
    client: new Client({ connection, namespace: server.namespace }),
    connection,
    async stop() {
      await connection.close();
      await server.stop();
    },
  };
}

/** The real workflows on it, with whatever activities a test brings. */
export async function startWorkersOn(
  temporal: OwnTemporal,
  activities: Activities,
  site = 'main',
): Promise<() => Promise<void>> {
  installRuntime();
  const connection = await NativeConnection.connect({ address: temporal.address });
  const workers = await createWorkers({
    connection,
    namespace: 'default',
    site,
    activities,
    workflowBundle: await workflowBundle(join(tmpdir(), 'defib-test-bundles')),
    maxConcurrentLooks: 20,
  });
  const running = workers.run();
  return async () => {
    workers.shutdown();
    await running;
    await connection.close();
  };
}

let installed = false;

/** Once per process, however many workers a file starts. */
function installRuntime(): void {
  if (!installed) Runtime.install({ logger: new DefaultLogger('ERROR') });
  installed = true;
}
