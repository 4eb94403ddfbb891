import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describeSettings } from '../domain/settings.ts';
import { environmentWithout } from './environment.mjs';
import { exitOf, lastLinesOf, type RunningPart, wordsOfExit } from './part.ts';
import { type Ending, endProcess } from './processes.ts';
import { RUNNING, type ToWorker } from './worker-orders.ts';

const MAIN = fileURLToPath(new URL('./worker-main.ts', import.meta.url));
/** It lets looks and heals under way end first. */
const ENDING: Ending = [
  { signal: 'SIGTERM', waitMs: 20_000 },
  { signal: 'SIGKILL', waitMs: 5_000 },
];
/** More than its last lines take. */
const REMEMBERED_CHARACTERS = 16_384;

export interface RunningWorkerProcess extends RunningPart {
  readonly tell: (message: ToWorker) => void;
}

/**
 * Starts the worker in a process of its own, which ends with this one. It loads and bundles while `begin` is still waited for.
 * Resolves once it runs. @throws what `begin` throws; Error with how the process ended when it ends before it runs.
 */
export async function startWorkerProcess(dataDir: string, begin: Promise<ToWorker>): Promise<RunningWorkerProcess> {
  const child = fork(MAIN, [join(dataDir, 'cache')], {
    execArgv: ['--import', 'tsx'],
    env: { ...environmentWithout(SETTINGS), DEFIB_DATA_DIR: dataDir },
    // its own process group: on Ctrl-C this process says when it stops
    detached: true,
    stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
  });
  const exited = exitOf(child);
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    process.stderr.write(text);
    said = (said + text).slice(-REMEMBERED_CHARACTERS);
  });
  passOnWatchedFiles(child);
  const part: RunningWorkerProcess = {
    exited,
    lastLines: () => lastLinesOf(said),
    // one that can't be told is about to end
    tell: (message) => void child.send(message, () => undefined),
    async stop() {
      if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
        await endProcess(child.pid, ENDING);
      }
      await exited;
    },
  };
  const running = new Promise<true>((resolve) => {
    child.on('message', (message) => message === RUNNING && resolve(true));
  });
  try {
    part.tell(await begin);
    const exit = await Promise.race([running, exited]);
    if (exit !== true) throw new Error([`it ${wordsOfExit(exit)}`, ...part.lastLines()].join('\n  | '));
    return part;
  } catch (error) {
    await part.stop();
    throw error;
  }
}

/** Its settings come as a message, so that no secret among them is in its environment. */
const SETTINGS = new RegExp(
  `^(${describeSettings()
    .map(({ name }) => name)
    .join('|')}|TEMPORAL_GRPC_META_.*|POSTGRES_PASSWORD)$`,
);

/** `node --watch` learns from the processes themselves which files they are made of. */
function passOnWatchedFiles(child: ChildProcess): void {
  child.on('message', (message) => {
    if (typeof message === 'object' && Object.keys(message).some((key) => key.startsWith('watch:'))) {
      process.send?.(message);
    }
  });
}
