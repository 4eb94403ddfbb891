import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { isRunning } from '../../local/processes.ts';
import { until } from '../../local/until.ts';

/**
 * The processes of the Defib whose data is in this folder, oldest first: npm and Node by the setting they were started with,
 * Postgres and Temporal by their data, also when their parent is gone. A VM whose QMP socket lies there is none of them.
 */
export function processesOf(dataDir: string): number[] {
  const running = readdirSync('/proc').map(Number).filter(Number.isInteger);
  return running.filter((pid) => belongs(pid, dataDir) && isRunning(pid)).toSorted((a, b) => a - b);
}

/** kill -9 of every one of them, parents first, until none is left. */
export async function killProcessesOf(dataDir: string): Promise<void> {
  await until(() => {
    const left = processesOf(dataDir);
    for (const pid of left) kill(pid);
    return left.length === 0;
  });
}

function belongs(pid: number, dataDir: string): boolean {
  const parts = [`${dataDir}/postgres/`, `${dataDir}/temporal/`];
  const read = (file: string) => unlessGone(() => readFileSync(`/proc/${pid}/${file}`, 'utf8'));
  const workingFolder = `${unlessGone(() => readlinkSync(`/proc/${pid}/cwd`))}/`;
  return (
    read('environ').split('\0').includes(`DEFIB_DATA_DIR=${dataDir}`) ||
    parts.some((part) => read('cmdline').includes(part) || workingFolder.startsWith(part))
  );
}

function unlessGone(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
