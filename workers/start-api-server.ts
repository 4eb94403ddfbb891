import { Client, Connection } from '@temporalio/client';
import type { Logger } from 'pino';
import { type RunningApi, startApi } from '../api/start-api.ts';
import { checkProblems, targetRefusal } from '../checks/configuration.ts';
import { ensureAdminToken } from '../db/admin-token.ts';
import { openDatabase } from '../db/database.ts';
import { ensurePartitions } from '../db/partitions.ts';
import type { Settings } from '../domain/settings.ts';
import { registerQmpSocket } from '../providers/qemu/socket-path.ts';
import { createVmSignals } from '../temporal/vm-signals.ts';
import { guardSettings } from './own-ports.ts';
import type { Reached } from './reached.ts';

/** Serves the API; starts while Temporal is away too. `adminToken` becomes the installation's own. */
export async function startApiServer(
  settings: Settings,
  reached: Reached,
  log: Logger,
  adminToken: string | undefined,
): Promise<RunningApi> {
  const database = openDatabase(reached.databaseUrl, { applicationName: 'defib-api' });
  if (adminToken !== undefined) await ensureAdminToken(database, adminToken, new Date());
  // agents' reports need today's partitions, also where no worker runs yet
  await ensurePartitions(database.pool, Date.now());
  const connection = Connection.lazy({ address: reached.temporalAddress });
  const guard = guardSettings(settings, reached);
  const api = await startApi(
    {
      database,
      temporal: createVmSignals(new Client({ connection, namespace: reached.namespace })),
      settings,
      checks: {
        validate: ({ address, ...check }) => checkProblems(check, address),
        refuseTarget: ({ address, ...check }) => {
          const refused = targetRefusal(guard, check, address);
          return refused === null ? [] : [refused];
        },
      },
      qmpSocket: (path) => registerQmpSocket(path, settings.QMP_SOCKET_DIRS),
      clock: Date.now,
      logger: log,
    },
    { host: settings.HOST, port: settings.PORT },
  );
  return {
    url: api.url,
    async close(graceMs) {
      await api.close(graceMs);
      await connection.close();
      await database.close();
    },
  };
}
