import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { firstLineOf } from '../workers/start-error.ts';
import { claimFolder, folderHolder } from './folder-claim.ts';
import { until } from './until.ts';

/** Where servers that were built or downloaded once are kept; shared by all checkouts of one user. */
export function cacheFolder(environment: NodeJS.ProcessEnv): string {
  const base = environment['XDG_CACHE_HOME'] || join(environment['HOME'] || homedir(), '.cache');
  return join(base, 'defib');
}

/** The programs in a folder of the cache, which need not be there. */
export function programsIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
}

/**
 * Downloads a server as the SDK does. The SDK offers no download without a start, so it starts one, and what it has fetched
 * is then in the folder.
 * @returns the program.
 * @throws Error with the reason in one line.
 */
export async function downloadBySdk(kind: 'createLocal' | 'createTimeSkipping', folder: string): Promise<string> {
  mkdirSync(folder, { recursive: true });
  const { TestWorkflowEnvironment } = await import('@temporalio/testing');
  const server = { executable: { type: 'cached-download', downloadDir: folder } } as const;
  try {
    const environment = await TestWorkflowEnvironment[kind]({ server });
    await environment.teardown();
  } catch (cause) {
    throw new Error(firstLineOf(cause).split(': ').slice(-2).join(': '), { cause });
  }
  const [path] = programsIn(folder);
  if (path === undefined) throw new Error(`nothing arrived in ${folder}`);
  return path;
}

/**
 * Runs `make` unless `target` is there, and lets only one process at a time do so: the others wait and then find it.
 * `make` gets an empty folder beside the target and moves the finished thing from there into place by a rename.
 * @throws what `make` throws.
 */
export async function makeOnce(
  target: string,
  make: (workFolder: string) => Promise<void>,
  log: (line: string) => void,
): Promise<void> {
  const lock = `${target}.lock`;
  const workFolder = `${target}.making`;
  mkdirSync(dirname(target), { recursive: true });
  let told = false;
  const claim = () => {
    try {
      return claimFolder(lock);
    } catch {
      if (!told) log(`Waiting for process ${folderHolder(lock) ?? '?'}, which is making ${target} …`);
      told = true;
      return undefined;
    }
  };
  await until(claim, { everyMs: 250, limitMs: Number.POSITIVE_INFINITY });
  try {
    if (existsSync(target)) return;
    rmSync(workFolder, { recursive: true, force: true });
    mkdirSync(workFolder, { recursive: true });
    await make(workFolder);
  } finally {
    rmSync(workFolder, { recursive: true, force: true });
    rmSync(lock, { recursive: true, force: true });
  }
}
