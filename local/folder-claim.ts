import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { StartError } from '../workers/start-error.ts';
import { notedProcess, noteProcess } from './processes.ts';

/**
 * Makes the folder (mode 0700) and notes that this process uses it, so that a second `npm start` doesn't stop the
 * servers of a first that still runs. A claim left by a process that is gone counts for nothing.
 * @returns what releases the folder.
 * @throws StartError while a living process has it.
 */
export function claimFolder(folder: string): () => void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const holder = folderHolder(folder);
  if (holder !== undefined) {
    throw new StartError(
      `${folder} is in use by process ${holder}: stop that one, or give this one its own folder with DEFIB_DATA_DIR=…`,
    );
  }
  const file = join(folder, 'used-by');
  rmSync(file, { force: true });
  noteProcess(file, process.pid);
  return () => rmSync(file, { force: true });
}

/** The process that uses the folder now, when there is one. */
export function folderHolder(folder: string): number | undefined {
  return notedProcess(join(folder, 'used-by'));
}
