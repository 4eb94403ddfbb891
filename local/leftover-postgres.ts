import { readdirSync, readFileSync, readlinkSync, realpathSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { commandLineOf, endProcess, isRunning } from './processes.ts';
import { StartError } from './start-error.ts';

/** Fast shutdown, immediate shutdown, then force. https://www.postgresql.org/docs/current/server-shutdown.html */
export const POSTGRES_ENDING = [
  { signal: 'SIGINT', waitMs: 10_000 },
  { signal: 'SIGQUIT', waitMs: 5_000 },
  { signal: 'SIGKILL', waitMs: 5_000 },
] as const;

/**
 * Stops what an earlier run left behind in this cluster folder, after a kill -9 of its parent or of Postgres itself,
 * and removes a postmaster.pid that speaks of a process that is gone or isn't ours. No other process gets a signal.
 * @returns true when something ran.
 */
export async function endLeftoverPostgres(cluster: string, log: (line: string) => void): Promise<boolean> {
  const postmaster = recordedPid(cluster);
  const found = new Set(processesIn(cluster));
  if (postmaster !== undefined && isOurs(postmaster, cluster)) found.add(postmaster);
  if (found.size > 0)
    log(
      `Stopping the Postgres that an earlier run left behind (process ${postmaster !== undefined && found.has(postmaster) ? postmaster : [...found].join(', ')}).`,
    );
  // The postmaster ends its own; the others are what a postmaster killed with -9 left.
  const inOrder = [...found].toSorted((a, b) => Number(b === postmaster) - Number(a === postmaster));
  for (const pid of inOrder) {
    if (!isRunning(pid)) continue;
    const ended = await endProcess(pid, POSTGRES_ENDING);
    if (ended === undefined)
      throw new StartError(`the earlier Postgres (process ${pid}) can't be stopped: stop it yourself.`);
  }
  if (recordedPid(cluster) !== undefined) rmSync(join(cluster, 'postmaster.pid'), { force: true });
  return found.size > 0;
}

/** Postgres's processes that work in this folder: each has its cluster folder as its working directory. */
function processesIn(cluster: string): number[] {
  if (process.platform !== 'linux') return [];
  const folder = realpathSync(cluster);
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return (
          readlinkSync(`/proc/${pid}/cwd`) === folder &&
          basename(readlinkSync(`/proc/${pid}/exe`)) === 'postgres' &&
          isRunning(pid)
        );
      } catch {
        return false;
      }
    });
}

/** /proc/<pid>/cwd may be hidden from us (another user's, without CAP_SYS_PTRACE); the command line never is. */
function isOurs(pid: number, cluster: string): boolean {
  const commandLine = commandLineOf(pid);
  return commandLine !== undefined && commandLine.includes('postgres') && commandLine.includes(cluster);
}

function recordedPid(cluster: string): number | undefined {
  try {
    const pid = Number(readFileSync(join(cluster, 'postmaster.pid'), 'utf8').split('\n', 1)[0]);
    return Number.isInteger(pid) && pid > 0 ? pid : -1;
  } catch {
    return undefined;
  }
}
