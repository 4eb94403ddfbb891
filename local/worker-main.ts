import { createLog } from '../workers/log.ts';
import { runProcess } from '../workers/run-process.ts';
import { runUntilStopped, stopSignal } from '../workers/run-until-stopped.ts';
import { startWorker } from '../workers/start-worker.ts';
import { workflowBundle } from '../workers/workflow-bundle.ts';
import { RUNNING, type ToWorker } from './worker-orders.ts';

// The worker of `npm start`, as a child of it: worker-main.ts <folder of bundles>. What it is to do it is told by its parent.
const [, , cacheDir = ''] = process.argv;

// The channel closes when the parent ends, in whatever way.
process.once('disconnect', () => process.exit(1));
if (!process.connected) process.exit(1);

const ownPorts = new Set<number>();
const begin = new Promise<Extract<ToWorker, { kind: 'begin' }>>((resolve) => {
  process.on('message', (message: ToWorker) => {
    const ports = message.kind === 'begin' ? message.connections.ownPorts : message.ports;
    ownPorts.clear();
    for (const port of ports) ownPorts.add(port);
    if (message.kind === 'begin') resolve(message);
  });
});
await runProcess(async () => {
  // takes seconds where it was never made, and needs no server
  await workflowBundle(cacheDir);
  const { settings, connections } = await begin;
  const stopRequested = stopSignal();
  const log = createLog(settings, 'defib-worker');
  const worker = await startWorker(settings, { ...connections, ownPorts }, log);
  process.send?.(RUNNING);
  await runUntilStopped(stopRequested, [worker.ended], () => worker.stop());
});
process.exit(0);
