import { migrate } from '../db/migrate.ts';
import { createLog } from './log.ts';
import { reachedBy } from './reached.ts';
import { readSettings } from './read-settings.ts';
import { runUntilStopped, stopSignal } from './run-until-stopped.ts';
import { startApiServer } from './start-api-server.ts';
import { startWorker } from './start-worker.ts';

const told = stopSignal();
const settings = readSettings();
const log = createLog(settings, 'defib');
const reached = reachedBy(settings);
await migrate(reached.databaseUrl);
const worker = await startWorker(settings, reached, log);
const api = await startApiServer(settings, reached, log, settings.DEFIB_ADMIN_TOKEN);
log.info({ url: api.url, site: settings.DEFIB_SITE }, 'API and worker are running');
await runUntilStopped(told, [worker.ended], async () => {
  await api.close();
  await worker.stop();
});
