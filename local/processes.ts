import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Whether a process with this id runs, whoever owns it. A zombie doesn't run. */
export function isRunning(pid: number): boolean {
  const stat = statOf(pid);
  if (stat !== undefined) return stat.state !== 'Z' && stat.state !== 'X';
  try {
    process.kill(pid, 0);
    return process.platform !== 'linux';
  } catch (error) {
    return process.platform !== 'linux' && (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** The command line of a running process, blanks between its arguments; undefined when there is none to read. */
export function commandLineOf(pid: number): string | undefined {
  if (process.platform === 'linux') {
    const raw = readOrUndefined(`/proc/${pid}/cmdline`);
    return raw === undefined || raw === '' ? undefined : raw.split('\0').join(' ').trim();
  }
  const ps = spawnSync('ps', ['-ww', '-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
  return ps.status === 0 ? ps.stdout.trim() : undefined;
}

/** What tells this process from a later one with the same id; undefined when the process is gone. */
export function birthMarkOf(pid: number): string | undefined {
  if (process.platform === 'linux') return statOf(pid)?.startedAt;
  const ps = spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' });
  return ps.status === 0 ? ps.stdout.trim() : undefined;
}

/**
 * Sends the signals in turn, each with its time to work, until the process is gone.
 * The caller has made sure whose process it is.
 * @returns the signal that ended it, or undefined when it runs on after the last.
 */
export async function endProcess(
  pid: number,
  steps: readonly { readonly signal: NodeJS.Signals; readonly waitMs: number }[],
): Promise<NodeJS.Signals | undefined> {
  for (const { signal, waitMs } of steps) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ESRCH') return signal;
      throw error;
    }
    const deadline = Date.now() + waitMs;
    do {
      if (!isRunning(pid)) return signal;
      await sleep(20);
    } while (Date.now() < deadline);
  }
  return undefined;
}

function statOf(pid: number): { readonly state: string; readonly startedAt: string } | undefined {
  const raw = readOrUndefined(`/proc/${pid}/stat`);
  if (raw === undefined) return undefined;
  // The second field is the program's name in parentheses and may itself hold blanks and parentheses.
  const fields = raw.slice(raw.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', startedAt: fields[19] ?? '' };
}

function readOrUndefined(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
