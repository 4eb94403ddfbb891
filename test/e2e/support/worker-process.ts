import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { endWithUs } from './end-with-us.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

export interface WorkerProcess {
  /** The signal that ended it, or its exit code. */
  ended: Promise<NodeJS.Signals | number | null>;
  said(): string;
  kill(): Promise<void>;
}

/** Runs a worker as systemd would: by its entry point, settings in the environment. */
export function startWorkerProcess(
  entryPoint: string,
  environment: Readonly<Record<string, string>>,
  args: readonly string[] = [],
): WorkerProcess {
  const [program, leading] = endWithUs('KILL', [process.execPath, '--import', 'tsx', entryPoint, ...args]);
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(program, leading, {
    cwd: ROOT,
    env: { PATH, HOME, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
  }
  const ended = once(child, 'close').then(([code, signal]): NodeJS.Signals | number | null => signal ?? code);
  return {
    ended,
    said: () => said,
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
