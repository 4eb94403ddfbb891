import { Client, Connection } from '@temporalio/client';
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
import { RECONNECT } from '../temporal/reconnect.ts';
import { createVmSignals } from '../temporal/vm-signals.ts';
import type { Connections } from './connections.ts';
import { credentialBox } from './credential-box.ts';
import { egressSettings } from './egress-settings.ts';
import { sharedDatabaseState } from './shared-database-state.ts';

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
  const connection = Connection.lazy({ address: connections.temporalAddress, channelArgs: RECONNECT });
  const client = new Client({ connection, namespace: connections.namespace });
  const circuit = createCircuit(client, {
    began: (error) => log.error({ err: toLoggedError(error) }, 'Temporal does not answer: what needs it is refused'),
    over: () => log.warn('Temporal answers again'),
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
      await circuit.close();
      await connection.close();
      await database.close();
    },
  };
}
