import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { birthMarkOf, commandLineOf, endProcess } from './processes.ts';
import { StartError } from './start-error.ts';

export const TEMPORAL_ENDING = [
  { signal: 'SIGINT', waitMs: 10_000 },
  { signal: 'SIGKILL', waitMs: 5_000 },
] as const;

/** Notes in the folder which process is its Temporal server. */
export function recordTemporal(folder: string, pid: number): void {
  writeFileSync(fileIn(folder), `${pid} ${birthMarkOf(pid) ?? ''}`, { mode: 0o600 });
}

/** Forgets it, once it has ended. */
export function forgetTemporal(folder: string): void {
  rmSync(fileIn(folder), { force: true });
}

/** Stops the Temporal server that a killed run left in this folder. No other process gets a signal. */
export async function endLeftoverTemporal(folder: string, log: (line: string) => void): Promise<void> {
  const pid = livingServerOf(folder);
  if (pid !== undefined) {
    log(`Stopping the Temporal server that an earlier run left behind (process ${pid}).`);
    const ended = await endProcess(pid, TEMPORAL_ENDING);
    if (ended === undefined) {
      throw new StartError(`the earlier Temporal server (process ${pid}) can't be stopped: stop it yourself.`);
    }
  }
  forgetTemporal(folder);
}

/** A process id is used again sooner or later: when it began and what it was started as must both fit. */
function livingServerOf(folder: string): number | undefined {
  try {
    const [pid, ...mark] = readFileSync(fileIn(folder), 'utf8').split(' ');
    const found = Number(pid);
    const same = birthMarkOf(found) === mark.join(' ');
    return same && commandLineOf(found)?.includes(' server start-dev ') ? found : undefined;
  } catch {
    return undefined;
  }
}

function fileIn(folder: string): string {
  return join(folder, 'temporal.pid');
}
