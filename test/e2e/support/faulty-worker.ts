import { writeFileSync } from 'node:fs';
import { connectionsFrom } from '../../../workers/connections.ts';
import { createLog } from '../../../workers/log.ts';
import { readSettings } from '../../../workers/read-settings.ts';
import { startWorker } from '../../../workers/start-worker.ts';
import { FAULTS, type FaultPoint } from './fault-points.ts';

// An ordinary worker (workers/worker.ts) that kills itself by SIGKILL at one point: faulty-worker.ts <point> <mark>. The
// file `mark` is made first, so that a test can tell this death from another.
const [, , given, mark] = process.argv;
if (given === undefined || !(given in FAULTS) || mark === undefined) {
  throw new Error('usage: faulty-worker.ts <point> <mark>');
}
const fault = FAULTS[given as FaultPoint];

function die(): never {
  writeFileSync(mark ?? '', given ?? '');
  process.kill(process.pid, 'SIGKILL');
  // no code of ours runs on while the kernel ends us
  for (;;);
}

const settings = readSettings();
await startWorker(settings, connectionsFrom(settings), createLog(settings, 'defib-worker'), (deps) => fault(deps, die));
