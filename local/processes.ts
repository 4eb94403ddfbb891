import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { until } from './until.ts';

/** The signals that end a process, each with the time it has to work. */
export type Ending = readonly { readonly signal: NodeJS.Signals; readonly waitMs: number }[];

/** Whether a process with this id runs, whoever owns it. A zombie doesn't run. */
export function isRunning(pid: number): boolean {
  const onLinux = process.platform === 'linux';
  if (onLinux) return !['Z', 'X', undefined].includes(statOf(pid)?.state);
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** The command line of a running process, blanks between its arguments; undefined when there is none to read. */
export function commandLineOf(pid: number): string | undefined {
  if (process.platform !== 'linux') return ps(pid, 'command=');
  return readOrUndefined(`/proc/${pid}/cmdline`)?.replaceAll('\0', ' ').trim() || undefined;
}

/** When a process began: tells it from a later one with the same id. Undefined when the process is gone. */
export function birthMarkOf(pid: number): string | undefined {
  return process.platform === 'linux' ? statOf(pid)?.startedAt : ps(pid, 'lstart=');
}

/** Notes in a new file which process something belongs to. @throws EEXIST when another process was quicker. */
export function noteProcess(file: string, pid: number): void {
  writeFileSync(file, `${pid} ${birthMarkOf(pid) ?? ''}`, { mode: 0o600, flag: 'wx' });
}

/** The process that a file names, as long as that very process runs. */
export function notedProcess(file: string): number | undefined {
  const [pid, ...mark] = readOrUndefined(file)?.split(' ') ?? [];
  return pid !== undefined && isRunning(Number(pid)) && birthMarkOf(Number(pid)) === mark.join(' ')
    ? Number(pid)
    : undefined;
}

/**
 * Sends the signals in turn until the process is gone. The caller has made sure whose process it is.
 * @returns whether it is gone.
 */
export async function endProcess(pid: number, steps: Ending): Promise<boolean> {
  for (const { signal, waitMs } of steps) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ESRCH') return true;
      throw error;
    }
    const gone = until(() => !isRunning(pid), { everyMs: 20, limitMs: waitMs });
    if (await gone.catch(() => false)) return true;
  }
  return false;
}

function ps(pid: number, field: string): string | undefined {
  const asked = spawnSync('ps', ['-ww', '-o', field, '-p', String(pid)], { encoding: 'utf8' });
  return asked.status === 0 ? asked.stdout.trim() : undefined;
}

function statOf(
  pid: number,
): { readonly state: string | undefined; readonly startedAt: string | undefined } | undefined {
  const raw = readOrUndefined(`/proc/${pid}/stat`);
  // proc_pid_stat(5): the second field is the program's name in parentheses and may itself hold blanks and parentheses.
  const fields = raw?.slice(raw.lastIndexOf(')') + 2).split(' ');
  return fields && { state: fields[0], startedAt: fields[19] };
}

function readOrUndefined(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
