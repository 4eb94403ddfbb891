import { mkdirSync, rmSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { claimFolder, folderHolder } from './folder-claim.ts';

/** Where servers that were built or downloaded once are kept; shared by all checkouts of one user. */
export function cacheFolder(environment: NodeJS.ProcessEnv = process.env): string {
  const base = environment['XDG_CACHE_HOME'] || join(environment['HOME'] || homedir(), '.cache');
  return join(base, 'defib');
}

/**
 * Runs `make` unless `target` is there, and lets only one process at a time do so: the others wait and then find it.
 * `make` gets an empty folder beside the target and moves the finished thing from there into place by a rename.
 */
export async function makeOnce(
  target: string,
  make: (workFolder: string) => Promise<void>,
  log: (line: string) => void,
): Promise<void> {
  const lock = `${target}.lock`;
  const workFolder = `${target}.making`;
  mkdirSync(dirname(target), { recursive: true });
  for (let told = false; !exists(target); told = true) {
    const release = tryClaim(lock);
    if (release === undefined) {
      if (!told) log(`Waiting for process ${folderHolder(lock) ?? '?'}, which is making ${target} …`);
      await sleep(250);
      continue;
    }
    try {
      rmSync(workFolder, { recursive: true, force: true });
      mkdirSync(workFolder, { recursive: true });
      if (!exists(target)) await make(workFolder);
      return;
    } finally {
      rmSync(workFolder, { recursive: true, force: true });
      release();
      rmSync(lock, { recursive: true, force: true });
    }
  }
}

function tryClaim(lock: string): (() => void) | undefined {
  try {
    const holder = folderHolder(lock);
    // Another test in this very process may be at it.
    return holder === undefined ? claimFolder(lock) : undefined;
  } catch {
    return undefined;
  }
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}
