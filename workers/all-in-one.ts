import { migrate } from '../db/migrate.ts';
import { connectionsFrom } from './connections.ts';
import { createLog } from './log.ts';
import { configHomes, readSettings } from './read-settings.ts';
import { requirePostgres } from './require-postgres.ts';
import { runProcess } from './run-process.ts';
import { runUntilStopped, stopSignal } from './run-until-stopped.ts';
import { startApiServer } from './start-api-server.ts';
import { startWorker } from './start-worker.ts';

await runProcess(async () => {
  const stopRequested = stopSignal();
  const settings = readSettings();
  const connections = connectionsFrom(settings, configHomes());
  await requirePostgres(connections.databaseUrl);
  const log = createLog(settings, 'defib');
  await migrate(connections.databaseUrl);
  const worker = await startWorker(settings, connections, log);
  const api = await startApiServer(settings, connections, log, settings.DEFIB_ADMIN_TOKEN);
  log.info({ url: api.url, site: settings.DEFIB_SITE }, 'API and worker are running');
  await runUntilStopped(stopRequested, [worker.ended], async () => {
    await api.close();
    await worker.stop();
  });
});
