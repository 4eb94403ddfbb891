import { writeFileSync } from 'node:fs';
import { connectionsFrom } from '../../../workers/connections.ts';
import { createLog } from '../../../workers/log.ts';
import { configHomes, readSettings } from '../../../workers/read-settings.ts';
import { startWorker } from '../../../workers/start-worker.ts';
import { FAULTS, type FaultPoint } from './fault-points.ts';
import { createStoppableClock } from './stoppable-clock.ts';

// An ordinary worker (workers/worker.ts) that kills or stops itself at one point: faulty-worker.ts <point> <mark>. The file
// `mark` is made first, so that a test can tell this death from another.
const [, , given, mark] = process.argv;
if (given === undefined || !(given in FAULTS) || mark === undefined) {
  throw new Error('usage: faulty-worker.ts <point> <mark>');
}
const fault = FAULTS[given as FaultPoint];
const clock = createStoppableClock();

function signalOneself(signal: 'SIGKILL' | 'SIGSTOP'): void {
  writeFileSync(mark ?? '', given ?? '');
  // takes effect before it returns
  process.kill(process.pid, signal);
}

const faults = {
  die(): never {
    signalOneself('SIGKILL');
    // no code of ours runs on while the kernel ends us
    for (;;);
  },
  freeze: () => signalOneself('SIGSTOP'),
  freezeMachine: () => clock.stopWhile(() => signalOneself('SIGSTOP')),
};

const settings = readSettings();
const log = createLog(settings, 'defib-worker');
await startWorker(settings, connectionsFrom(settings, configHomes()), log, (deps) => fault(deps, faults));
