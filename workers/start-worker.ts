import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { Client } from '@temporalio/client';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import type { Logger } from 'pino';
import { noticeClock } from '../activities/clock-notices.ts';
import { createActivities } from '../activities/create-activities.ts';
import type { Dependencies } from '../activities/dependencies.ts';
import { toLoggedError } from '../api/request-log.ts';
import { createEgress } from '../checks/egress.ts';
import { createProbes } from '../checks/registry.ts';
import { openDatabase } from '../db/database.ts';
import { readClock } from '../db/database-time.ts';
import { LIMITS } from '../db/limits.ts';
import { createLookWriter, MAX_LANES } from '../db/looks/look-writer.ts';
import { ensurePartitions } from '../db/upkeep/partitions.ts';
import type { Settings } from '../domain/settings.ts';
import { createProviders } from '../providers/providers.ts';
import { PROVIDER_KINDS } from '../providers/registry.ts';
import { createCircuit } from '../temporal/circuit.ts';
import { ensureSchedules, ensureSearchAttributes } from '../temporal/namespace.ts';
import { keepReconciling } from '../temporal/reconcile-run.ts';
import { createTemporalPort } from '../temporal/temporal-port.ts';
import { createVmSignals } from '../temporal/vm-signals.ts';
import type { Connections } from './connections.ts';
import { createWorkers, type WorkerOptions } from './create-workers.ts';
import { credentialBox } from './credential-box.ts';
import { egressSettings } from './egress-settings.ts';
import { sharedDatabaseState } from './shared-database-state.ts';
import { connectClient, connectNative } from './temporal-connection.ts';
import { createWorkerClock } from './worker-clock.ts';
import { workflowBundle } from './workflow-bundle.ts';

export interface RunningWorker {
  /** Rejects when the worker fails; resolves after `stop`. */
  ended: Promise<void>;
  /** Lets looks and heals under way end, then disconnects. */
  stop(): Promise<void>;
}

/** Tests replace dependencies here. */
export type Wrap = (deps: Dependencies) => Dependencies;

/** Starts this site's worker: registers what Temporal must know, then polls. The caller migrates first. */
export async function startWorker(
  settings: Settings,
  connections: Connections,
  log: Logger,
  wrap: Wrap = (deps) => deps,
): Promise<RunningWorker> {
  installRuntime(log);
  const { namespace } = connections;
  const bundling = workflowBundle(resolve(settings.DEFIB_DATA_DIR, 'cache'));
  const connection = await connectClient(connections);
  const native = await connectNative(connections);
  const client = new Client({ connection, namespace });
  const circuit = createCircuit(client);
  await Promise.all([ensureSearchAttributes(connection, namespace), ensureSchedules(client)]);

  const state = sharedDatabaseState(connections.databaseUrl, log);
  const open = (use: keyof typeof LIMITS, max: number) =>
    openDatabase(connections.databaseUrl, { applicationName: `defib-${use}`, max, limits: LIMITS[use], state });
  const database = open('heals', 8);
  const lookReads = open('looks', 4);
  const writing = open('writes', MAX_LANES + 1);
  const upkeep = open('upkeep', 2);
  const clock = createWorkerClock((offsetMs) => {
    const noticing = noticeClock({ database: upkeep, log, now: clock.now }, hostname(), offsetMs);
    noticing.catch((error: unknown) => log.error({ offsetMs, err: error }, "this machine's clock is wrong"));
  });
  clock.hear(await readClock(upkeep.orm));
  const partitions = ensurePartitions(upkeep.pool, clock.now());
  const deps = wrap({
    database,
    lookReads,
    upkeep,
    looks: createLookWriter(writing.pool, (trouble, error) => state.note('looks', trouble, error), clock.hear),
    probes: createProbes({
      egress: createEgress(egressSettings(settings, connections)),
      keepBodies: settings.KEEP_RESPONSE_BODIES,
    }),
    providers: createProviders(PROVIDER_KINDS, { settings, openCredentials: credentialBox(settings).open }),
    temporal: createTemporalPort(client, createVmSignals(client, circuit)),
    settings,
    log,
    now: clock.now,
  });
  await partitions;
  const version = versionOf(settings);
  if (version) log.info(version, 'versioned: gets workflows once its build is made current, see docs/upgrading.md');
  const workers = await createWorkers({
    connection: native,
    namespace,
    site: settings.DEFIB_SITE,
    activities: createActivities(deps),
    workflowBundle: await bundling,
    maxConcurrentLooks: settings.MAX_CONCURRENT_LOOKS,
    version,
  });
  const stopReconciling = await keepReconciling(client, circuit, (error) => {
    log.error({ err: toLoggedError(error) }, 'workflow reconcile could not be started');
  });
  const ended = workers.run();
  return {
    ended,
    async stop() {
      await stopReconciling();
      workers.shutdown();
      await ended.catch(() => undefined);
      await circuit.close();
      const databases = [database, lookReads, writing, upkeep].map((one) => one.close());
      await Promise.all([connection.close(), native.close(), ...databases]);
    },
  };
}

function versionOf(settings: Settings): WorkerOptions['version'] {
  const { TEMPORAL_DEPLOYMENT_NAME: deploymentName, TEMPORAL_WORKER_BUILD_ID: buildId } = settings;
  return deploymentName === undefined || buildId === undefined ? undefined : { deploymentName, buildId };
}

/** Once per process: the SDK's core logs through our log. */
function installRuntime(log: Logger): void {
  const sdk = log.child({ part: 'temporal-sdk' });
  Runtime.install({
    logger: new DefaultLogger('WARN', ({ level, message, meta }) => {
      // the workers of looks have none on purpose
      if (message.startsWith('No workflows registered')) return;
      if (level === 'ERROR') sdk.error(meta, message);
      else sdk.warn(meta, message);
    }),
    shutdownSignals: [],
  });
}
