import { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import { callProvider } from '../activities/call-provider.ts';
import { toLoggedError } from '../api/request-log.ts';
import { type RunningApi, startApi } from '../api/start-api.ts';
import { createCheckRules } from '../checks/registry.ts';
import { ensureAdminToken } from '../db/access/admin-token.ts';
import { openDatabase } from '../db/database.ts';
import { LIMITS } from '../db/limits.ts';
import { ensurePartitions } from '../db/upkeep/partitions.ts';
import type { Settings } from '../domain/settings.ts';
import { createProviders } from '../providers/providers.ts';
import { PROVIDER_KINDS } from '../providers/registry.ts';
import { createCircuit } from '../temporal/circuit.ts';
import { callProviderAt } from '../temporal/provider-caller.ts';
import { createVmSignals } from '../temporal/vm-signals.ts';
import type { Connections } from './connections.ts';
import { credentialBox } from './credential-box.ts';
import { egressSettings } from './egress-settings.ts';
import { sharedDatabaseState } from './shared-database-state.ts';
import { lazyConnection, refusalOf } from './temporal-connection.ts';
import { whyUnreachable } from './temporal-probe.ts';

const FIRST_ANSWER_MS = 3_000;

/** Serves the API; starts while Temporal is away too. `adminToken` becomes the installation's own. */
export async function startApiServer(
  settings: Settings,
  connections: Connections,
  log: Logger,
  adminToken: string | undefined,
): Promise<RunningApi> {
  const state = sharedDatabaseState(connections.databaseUrl, log);
  const database = openDatabase(connections.databaseUrl, {
    applicationName: 'defib-api',
    limits: LIMITS.requests,
    state,
  });
  if (adminToken !== undefined) await ensureAdminToken(database, adminToken, new Date());
  // agents' reports need today's partitions, also where no worker runs yet
  await ensurePartitions(database.pool, Date.now());
  const connection = lazyConnection(connections);
  const client = new Client({ connection, namespace: connections.namespace });
  const circuit = createCircuit(client, {
    began(error) {
      log.error({ err: toLoggedError(error) }, 'Temporal does not answer: what needs it is refused');
      void tellFinalReason(connections, log);
    },
    over: () => log.warn('Temporal answers again'),
  });
  // asked once, or what keeps it from being used would show at the first request that needs it
  const asking = circuit
    .attempt(() => client.withDeadline(Date.now() + FIRST_ANSWER_MS, () => describe(client)))
    .catch((error: unknown) => {
      const reason = refusalOf(error, connections);
      if (reason !== null) log.error(`The Temporal at ${connections.temporalAddress} can't be used: ${reason}`);
    });
  const box = credentialBox(settings);
  const providers = createProviders(PROVIDER_KINDS, { settings, openCredentials: box.open });
  const api = await startApi(
    {
      database,
      temporal: createVmSignals(client, circuit),
      settings,
      checks: createCheckRules(egressSettings(settings, connections)),
      providers: {
        sealCredentials: box.seal,
        call: (site, call) =>
          site === settings.DEFIB_SITE
            ? callProvider({ database, providers }, call)
            : callProviderAt(client, circuit, site, call),
      },
      clock: Date.now,
      logger: log,
    },
    { host: settings.HOST, port: settings.PORT },
  );
  return {
    url: api.url,
    async close(graceMs) {
      await api.close(graceMs);
      await asking;
      await circuit.close();
      await connection.close();
      await database.close();
    },
  };
}

function describe(client: Client): Promise<unknown> {
  return client.workflowService.describeNamespace({ namespace: client.options.namespace });
}

/** The client's own errors tell nothing of names and certificates. What passes by itself needs no line of its own. */
async function tellFinalReason({ temporalAddress, temporalAccess }: Connections, log: Logger): Promise<void> {
  const refused = await whyUnreachable(temporalAddress, temporalAccess?.tls);
  if (refused?.isFinal) log.error(`The Temporal at ${temporalAddress} can't be used: ${refused.reason}`);
}
