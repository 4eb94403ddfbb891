import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { isRunning } from '../../../local/processes.ts';

/**
 * The processes of the Defib whose data is in this folder, oldest first: npm and Node by the setting they were started with,
 * Postgres and Temporal by their data, also when their parent is gone. A VM whose QMP socket lies there is none of them.
 */
export function processesOf(dataDir: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => belongs(pid, dataDir) && isRunning(pid))
    .toSorted((a, b) => a - b);
}

/** kill -9 of every one of them, parents first, until none is left. */
export async function killProcessesOf(dataDir: string): Promise<void> {
  for (let left = processesOf(dataDir); left.length > 0; left = processesOf(dataDir)) {
    for (const pid of left) kill(pid);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function belongs(pid: number, dataDir: string): boolean {
  const parts = [`${dataDir}/postgres/`, `${dataDir}/temporal/`];
  return (
    read(pid, 'environ').split('\0').includes(`DEFIB_DATA_DIR=${dataDir}`) ||
    parts.some((part) => read(pid, 'cmdline').includes(part)) ||
    parts.some((part) => `${workingFolder(pid)}/`.startsWith(part))
  );
}

function read(pid: number, file: 'environ' | 'cmdline'): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

function workingFolder(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
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
