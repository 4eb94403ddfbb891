import { connectionsFrom } from './connections.ts';
import { createLog } from './log.ts';
import { readSettings } from './read-settings.ts';
import { runUntilStopped, stopSignal } from './run-until-stopped.ts';
import { startApiServer } from './start-api-server.ts';

const stopRequested = stopSignal();
const settings = readSettings();
const log = createLog(settings, 'defib-api');
const api = await startApiServer(settings, connectionsFrom(settings), log, settings.DEFIB_ADMIN_TOKEN);
log.info({ url: api.url }, 'API is serving');
await runUntilStopped(stopRequested, [], () => api.close());
