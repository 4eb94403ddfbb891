import { execFile } from 'node:child_process';
import { chmodSync, existsSync, renameSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { firstLineOf, StartError } from '../workers/start-error.ts';
import { environmentOfServers, environmentOfTools, environment as ownEnvironment } from './environment.mjs';
import { cacheFolder, downloadBySdk, makeOnce, programsIn } from './server-cache.ts';

const run = promisify(execFile);

/** The newest Temporal CLI that `go install` can build: later ones carry a replace directive. */
const CLI_VERSION = '1.5.1';
/** Priority, fairness and the other things that Defib needs came with these. */
const MIN_CLI = [1, 5] as const;
const MIN_SERVER = [1, 29] as const;
const MIN_GO = [1, 25] as const;

/** Where a Temporal server was found: one that runs, or a program that starts one. */
export type TemporalSource =
  | { readonly kind: 'address'; readonly address: string }
  | ({ readonly kind: 'program' } & TemporalProgram);

export interface TemporalProgram {
  readonly path: string;
  readonly from: 'PATH' | 'cache' | 'download' | 'go install';
}

export interface FindTemporalOptions {
  /** Read for TEMPORAL_ADDRESS, PATH, HOME and XDG_CACHE_HOME; default: that of this process. */
  readonly environment?: NodeJS.ProcessEnv;
  /** Gets a line for slow steps, with one for every place that has none before them, and for a program that will not do. */
  readonly log?: (line: string) => void;
  /** Whether to download or build one, which may take minutes; default true. */
  readonly mayInstall?: boolean;
}

interface Search {
  readonly environment: NodeJS.ProcessEnv;
  readonly log: (line: string) => void;
  /** Receives a line that matters only when nothing else is found either. */
  readonly missed: (line: string) => void;
}

/**
 * The server that TEMPORAL_ADDRESS names, or else a program that starts one.
 * @throws StartError as findTemporalProgram does.
 */
export async function findTemporalServer(options: FindTemporalOptions = {}): Promise<TemporalSource> {
  const address = (options.environment ?? ownEnvironment)['TEMPORAL_ADDRESS'];
  return address ? { kind: 'address', address } : { kind: 'program', ...(await findTemporalProgram(options)) };
}

/**
 * Looks for a Temporal server in this order: `temporal` on PATH, Defib's cache, the SDK's download, `go install` into the
 * cache.
 * @throws StartError that lists the choices when there is none to be had.
 */
export async function findTemporalProgram(options: FindTemporalOptions = {}): Promise<TemporalProgram> {
  const { environment = ownEnvironment, log = () => undefined, mayInstall = true } = options;
  const misses: string[] = [];
  const search: Search = { environment, log, missed: (line) => misses.push(line) };
  const found = (await onPath(search)) ?? (await inCache(search));
  if (found !== undefined) return found;
  for (const line of misses) log(line);
  const made = mayInstall ? ((await byDownload(search)) ?? (await byGo(search))) : undefined;
  if (made !== undefined) return made;
  throw new StartError(
    `No Temporal server to be had: set TEMPORAL_ADDRESS to one that runs, put \`temporal\` ${MIN_CLI.join('.')} or newer on PATH (https://docs.temporal.io/cli), allow its download, or install Go ${MIN_GO.join('.')} or newer.`,
  );
}

async function onPath({ environment, log, missed }: Search): Promise<TemporalProgram | undefined> {
  const folders = (environment['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  const path = folders.map((folder) => join(folder, 'temporal')).find((file) => existsSync(file));
  if (path === undefined) {
    missed('Temporal: no `temporal` on PATH.');
    return undefined;
  }
  return (await isFit(path, environment, log)) ? { path, from: 'PATH' } : undefined;
}

async function inCache({ environment, log, missed }: Search): Promise<TemporalProgram | undefined> {
  const folders = [builtFolder(environment), downloadFolder(environment)];
  for (const path of folders.flatMap(programsIn)) {
    if (await isFit(path, environment, log)) return { path, from: 'cache' };
  }
  missed(`Temporal: none in the cache (${folders.join(', ')}).`);
  return undefined;
}

async function byDownload({ environment, log }: Search): Promise<TemporalProgram | undefined> {
  try {
    log('Temporal: asking the SDK to download a server …');
    const path = await downloadBySdk('createLocal', downloadFolder(environment));
    return (await isFit(path, environment, log)) ? { path, from: 'download' } : undefined;
  } catch (error) {
    log(`Temporal: no download: ${firstLineOf(error)}.`);
    return undefined;
  }
}

async function byGo({ environment, log }: Search): Promise<TemporalProgram | undefined> {
  try {
    const said = await run('go', ['version'], { env: environmentOfTools(environment) });
    const version = said.stdout.match(/go(\d+)\.(\d+)/);
    if (!atLeast(version, MIN_GO)) throw new Error(`${said.stdout.trim()} is older than ${MIN_GO.join('.')}`);
    const path = join(builtFolder(environment), 'temporal');
    const install = async (workFolder: string) => {
      log(`Temporal: building the server with Go, once; this takes about three minutes on two cores …`);
      await run('go', ['install', `github.com/temporalio/cli/cmd/temporal@v${CLI_VERSION}`], {
        env: { ...environmentOfTools(environment), GOBIN: workFolder },
        maxBuffer: 64 * 1024 * 1024,
      });
      const built = join(workFolder, 'temporal');
      chmodSync(built, 0o755);
      renameSync(built, path);
    };
    await makeOnce(path, install, log);
    return (await isFit(path, environment, log)) ? { path, from: 'go install' } : undefined;
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    log(`Temporal: not built with Go: ${missing ? 'no `go` on PATH' : goReason(error)}.`);
    return undefined;
  }
}

function goReason(error: unknown): string {
  const stderr = (error as { stderr?: string }).stderr?.trim().split('\n') ?? [];
  return stderr.findLast((line) => !line.startsWith('go: downloading')) ?? firstLineOf(error);
}

/** Whether this program is a server for Defib; says in a line why it isn't. */
async function isFit(path: string, environment: NodeJS.ProcessEnv, log: (line: string) => void): Promise<boolean> {
  let unfit: string;
  try {
    const { stdout } = await run(path, ['--version'], { timeout: 20_000, env: environmentOfServers(environment) });
    // A CLI built with `go install` calls itself 0.0.0-DEV; the server's version tells.
    const server = stdout.match(/Server (\d+)\.(\d+)/);
    const cli = stdout.match(/version (\d+)\.(\d+)/);
    if (server === null ? atLeast(cli, MIN_CLI) : atLeast(server, MIN_SERVER)) return true;
    unfit = `${stdout.trim()} is too old, Defib needs ${MIN_CLI.join('.')} (server ${MIN_SERVER.join('.')})`;
  } catch (error) {
    unfit = `it does not run (${firstLineOf(error)})`;
  }
  log(`Temporal: ${path} will not do: ${unfit}.`);
  return false;
}

function atLeast(found: RegExpMatchArray | null, min: readonly [number, number]): boolean {
  const [major, minor] = [Number(found?.[1]), Number(found?.[2])];
  return major > min[0] || (major === min[0] && minor >= min[1]);
}

function builtFolder(environment: NodeJS.ProcessEnv): string {
  return join(cacheFolder(environment), 'temporal', CLI_VERSION);
}

function downloadFolder(environment: NodeJS.ProcessEnv): string {
  return join(cacheFolder(environment), 'temporal', 'download');
}
