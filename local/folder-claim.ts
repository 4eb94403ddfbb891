import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { birthMarkOf } from './processes.ts';
import { StartError } from './start-error.ts';

/**
 * Makes the folder (mode 0700) and notes that this process uses it, so that a second `npm start` doesn't stop the
 * servers of a first that still runs. A claim left by a process that is gone counts for nothing.
 * @returns gives the folder back.
 * @throws StartError while another living process has it.
 */
export function claimFolder(folder: string): () => void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, 'used-by');
  const mine = `${process.pid} ${birthMarkOf(process.pid) ?? ''}`;
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const holder = livingHolder(file);
    if (holder !== undefined && holder !== process.pid) {
      throw new StartError(
        `${folder} is in use by process ${holder}: stop that one, or give this one its own folder with DEFIB_DATA_DIR=…`,
      );
    }
    rmSync(file, { force: true });
    try {
      writeFileSync(file, mine, { flag: 'wx', mode: 0o600 });
      return () => {
        if (readClaim(file) === mine) rmSync(file, { force: true });
      };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
  throw new StartError(`${folder} is being claimed by several processes at once: start only one.`);
}

/** The process that uses the folder now, when there is one. */
export function folderHolder(folder: string): number | undefined {
  return livingHolder(join(folder, 'used-by'));
}

function livingHolder(file: string): number | undefined {
  const [pid, ...mark] = (readClaim(file) ?? '').split(' ');
  const holder = Number(pid);
  if (!Number.isInteger(holder) || holder <= 0) return undefined;
  return birthMarkOf(holder) === mark.join(' ') ? holder : undefined;
}

function readClaim(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
