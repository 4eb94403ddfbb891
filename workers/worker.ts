import { connectionsFrom } from './connections.ts';
import { createLog } from './log.ts';
import { configHomes, readSettings } from './read-settings.ts';
import { requirePostgres } from './require-postgres.ts';
import { runProcess } from './run-process.ts';
import { runUntilStopped, stopSignal } from './run-until-stopped.ts';
import { startWorker } from './start-worker.ts';

await runProcess(async () => {
  const stopRequested = stopSignal();
  const settings = readSettings();
  const connections = connectionsFrom(settings, configHomes());
  await requirePostgres(connections.databaseUrl);
  const log = createLog(settings, 'defib-worker');
  const worker = await startWorker(settings, connections, log);
  log.info({ site: settings.DEFIB_SITE }, 'worker is running');
  await runUntilStopped(stopRequested, [worker.ended], () => worker.stop());
});
