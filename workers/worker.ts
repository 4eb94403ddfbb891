import { connectionsFrom } from './connections.ts';
import { createLog } from './log.ts';
import { readSettings } from './read-settings.ts';
import { runUntilStopped, stopSignal } from './run-until-stopped.ts';
import { startWorker } from './start-worker.ts';

const stopRequested = stopSignal();
const settings = readSettings();
const log = createLog(settings, 'defib-worker');
const worker = await startWorker(settings, connectionsFrom(settings), log);
log.info({ site: settings.DEFIB_SITE }, 'worker is running');
await runUntilStopped(stopRequested, [worker.ended], () => worker.stop());
