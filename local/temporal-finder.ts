import { execFile } from 'node:child_process';
import { accessSync, chmodSync, constants, existsSync, mkdirSync, readdirSync, renameSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder, makeOnce } from './cache-folder.ts';
import { firstLineOf, StartError } from './start-error.ts';

const run = promisify(execFile);

/** The newest Temporal CLI that `go install` can build: later ones carry a replace directive. */
const CLI_VERSION = '1.5.1';
/** Priority, fairness and the other things that Defib needs came with these. */
const LEAST_CLI = [1, 5] as const;
const LEAST_SERVER = [1, 29] as const;
const LEAST_GO = [1, 25] as const;

/** Where a Temporal server was found: one that runs, or a program that starts one. */
export type TemporalSource =
  | { readonly kind: 'address'; readonly address: string }
  | { readonly kind: 'program'; readonly path: string; readonly from: 'PATH' | 'cache' | 'download' | 'go install' };

export interface FindTemporalOptions {
  /** Read for TEMPORAL_ADDRESS, PATH, HOME and XDG_CACHE_HOME. */
  readonly environment?: NodeJS.ProcessEnv;
  /** Gets one line for every place that has none, and why; and for slow steps. */
  readonly log?: (line: string) => void;
  /** Without these two steps, which may take minutes, a look tells at once what is there. */
  readonly mayInstall?: boolean;
}

interface Search {
  readonly environment: NodeJS.ProcessEnv;
  readonly log: (line: string) => void;
}

/**
 * Looks for a Temporal server, in this order: TEMPORAL_ADDRESS, `temporal` on PATH, Defib's cache, the SDK's download,
 * `go install` into the cache.
 * @throws StartError that lists the choices when there is none to be had.
 */
export async function findTemporalServer(options: FindTemporalOptions = {}): Promise<TemporalSource> {
  const { environment = process.env, log = () => undefined, mayInstall = true } = options;
  const address = environment['TEMPORAL_ADDRESS'];
  if (address) return { kind: 'address', address };
  const search = { environment, log };
  const places = mayInstall ? [onPath, inCache, byDownload, byGo] : [onPath, inCache];
  for (const place of places) {
    const found = await place(search);
    if (found !== undefined) return found;
  }
  throw new StartError(
    `No Temporal server to be had: set TEMPORAL_ADDRESS to one that runs, put \`temporal\` ${LEAST_CLI.join('.')} or newer on PATH (https://docs.temporal.io/cli), allow its download, or install Go ${LEAST_GO.join('.')} or newer.`,
  );
}

async function onPath({ environment, log }: Search): Promise<TemporalSource | undefined> {
  const path = programOnPath('temporal', environment);
  if (path === undefined) {
    log('Temporal: no `temporal` on PATH.');
    return undefined;
  }
  const unfit = await whyUnfit(path);
  if (unfit === undefined) return { kind: 'program', path, from: 'PATH' };
  log(`Temporal: ${path} will not do: ${unfit}.`);
  return undefined;
}

async function inCache({ environment, log }: Search): Promise<TemporalSource | undefined> {
  const folders = [builtFolder(environment), downloadFolder(environment)];
  for (const path of folders.flatMap(programsIn)) {
    const unfit = await whyUnfit(path);
    if (unfit === undefined) return { kind: 'program', path, from: 'cache' };
    log(`Temporal: ${path} will not do: ${unfit}.`);
  }
  log(`Temporal: none in the cache (${folders.join(', ')}).`);
  return undefined;
}

/** The SDK offers no download without a start, so it starts one, and what it has fetched is then in the folder. */
async function byDownload({ environment, log }: Search): Promise<TemporalSource | undefined> {
  const folder = downloadFolder(environment);
  try {
    mkdirSync(folder, { recursive: true });
    const { TestWorkflowEnvironment } = await import('@temporalio/testing');
    log('Temporal: asking the SDK to download a server …');
    const server = await TestWorkflowEnvironment.createLocal({
      server: { executable: { type: 'cached-download', downloadDir: folder } },
    });
    await server.teardown();
    const path = programsIn(folder)[0];
    if (path === undefined) throw new Error(`nothing arrived in ${folder}`);
    const unfit = await whyUnfit(path);
    if (unfit !== undefined) throw new Error(unfit);
    return { kind: 'program', path, from: 'download' };
  } catch (error) {
    log(`Temporal: no download: ${firstLineOf(error).split(': ').slice(-2).join(': ')}.`);
    return undefined;
  }
}

async function byGo({ environment, log }: Search): Promise<TemporalSource | undefined> {
  try {
    const said = await run('go', ['version'], { env: environment });
    const version = said.stdout.match(/go(\d+)\.(\d+)/);
    if (!atLeast(version, LEAST_GO)) throw new Error(`${said.stdout.trim()} is older than ${LEAST_GO.join('.')}`);
    const target = join(builtFolder(environment), 'temporal');
    const install = async (workFolder: string) => {
      log(`Temporal: building the server with Go, once; this takes about three minutes on two cores …`);
      await run('go', ['install', `github.com/temporalio/cli/cmd/temporal@v${CLI_VERSION}`], {
        env: { ...environment, GOBIN: workFolder },
        maxBuffer: 64 * 1024 * 1024,
      });
      const built = join(workFolder, 'temporal');
      chmodSync(built, 0o755);
      renameSync(built, target);
    };
    await makeOnce(target, install, log);
    const unfit = await whyUnfit(target);
    if (unfit !== undefined) throw new Error(unfit);
    return { kind: 'program', path: target, from: 'go install' };
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

/** Why this program is no server for Defib, or undefined when it is. */
async function whyUnfit(path: string): Promise<string | undefined> {
  try {
    const { stdout } = await run(path, ['--version'], { timeout: 20_000 });
    // A CLI built with `go install` calls itself 0.0.0-DEV; the server's version tells.
    const server = stdout.match(/Server (\d+)\.(\d+)/);
    const cli = stdout.match(/version (\d+)\.(\d+)/);
    const fit = server === null ? atLeast(cli, LEAST_CLI) : atLeast(server, LEAST_SERVER);
    return fit
      ? undefined
      : `${stdout.trim()} is too old, Defib needs ${LEAST_CLI.join('.')} (server ${LEAST_SERVER.join('.')})`;
  } catch (error) {
    return `it does not run (${firstLineOf(error)})`;
  }
}

function atLeast(found: RegExpMatchArray | null, least: readonly [number, number]): boolean {
  const [major, minor] = [Number(found?.[1]), Number(found?.[2])];
  return major > least[0] || (major === least[0] && minor >= least[1]);
}

function programOnPath(name: string, environment: NodeJS.ProcessEnv): string | undefined {
  const folders = (environment['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, name)).find(isProgram);
}

function programsIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .map((name) => join(folder, name))
    .filter(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    // Not there, or in a folder that isn't ours to look into: PATH of a root shell may name some.
    return false;
  }
}

function builtFolder(environment: NodeJS.ProcessEnv): string {
  return join(cacheFolder(environment), 'temporal', CLI_VERSION);
}

function downloadFolder(environment: NodeJS.ProcessEnv): string {
  return join(cacheFolder(environment), 'temporal', 'download');
}
