import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { claimFolder } from './folder-claim.ts';
import { endLeftoverTemporal, forgetTemporal, recordTemporal, TEMPORAL_ENDING } from './leftover-temporal.ts';
import { answers, portTaken, requireFreePort } from './ports.ts';
import { endProcess } from './processes.ts';
import { openServerLog } from './server-log.ts';
import { StartError } from './start-error.ts';
import { SQLITE_PRAGMAS, TEMPORAL_RUNTIME, TEMPORAL_SETTINGS } from './temporal-settings.ts';

export { findTemporalServer } from './temporal-finder.ts';

export interface TemporalServerOptions {
  /** The program, as findTemporalServer gave it. */
  readonly path: string;
  /** The file that keeps its data; without one all is gone when it stops. */
  readonly dbFile?: string;
  /** Gets the log and the process id, by which the next start finds a server left behind; default: that of dbFile. */
  readonly folder?: string;
  readonly port: number;
  /** Without one there is no Web UI. */
  readonly uiPort?: number;
  /** Default `default`. */
  readonly namespace?: string;
  /** How long closed runs are kept. The server's own default is 24 hours, the heal events' is 90 days. */
  readonly retentionDays?: number;
  /** Registered before the first worker; types as the CLI names them. */
  readonly searchAttributes?: Readonly<
    Record<string, 'Text' | 'Keyword' | 'Int' | 'Double' | 'Bool' | 'Datetime' | 'KeywordList'>
  >;
  /** More dynamic configuration, over TEMPORAL_SETTINGS. */
  readonly settings?: Readonly<Record<string, number | boolean | string>>;
  readonly log?: (line: string) => void;
}

export interface RunningTemporal {
  readonly address: string;
  readonly namespace: string;
  readonly uiUrl: string | undefined;
  readonly pid: number;
  /** Resolves when the server has ended, asked for or not. */
  readonly exited: Promise<void>;
  readonly stop: () => Promise<void>;
}

const DAY_MS = 86_400_000;

/**
 * Starts a Temporal server on 127.0.0.1 and waits until it serves its namespace. One that a crashed run left behind
 * with the same file is stopped first.
 * @throws StartError in one line when a port is taken, the folder is in use, or it doesn't come up.
 */
export async function startTemporalServer(options: TemporalServerOptions): Promise<RunningTemporal> {
  const { port, uiPort, log = () => undefined, namespace = 'default', retentionDays = 90 } = options;
  const dbFile = options.dbFile === undefined ? undefined : resolve(options.dbFile);
  const folder = options.folder ?? (dbFile === undefined ? undefined : dirname(dbFile));
  const release = folder === undefined ? () => undefined : claimFolder(folder);
  try {
    if (folder !== undefined) await endLeftoverTemporal(folder, log);
    await requireFreePort(port, 'TEMPORAL_PORT', 'Temporal');
    if (uiPort !== undefined) await requireFreePort(uiPort, 'TEMPORAL_UI_PORT', "Temporal's Web UI");
    const server = await launch(options, dbFile, folder);
    const stop = once(async () => {
      await endProcess(server.pid, TEMPORAL_ENDING);
      await server.exited;
      if (folder !== undefined) forgetTemporal(folder);
      release();
    });
    try {
      await untilItServes({ ...server, port, namespace, retentionDays, log });
    } catch (error) {
      await stop();
      throw error;
    }
    const uiUrl = uiPort === undefined ? undefined : `http://127.0.0.1:${uiPort}`;
    return { address: `127.0.0.1:${port}`, namespace, uiUrl, pid: server.pid, exited: server.exited, stop };
  } catch (error) {
    release();
    throw error;
  }
}

interface Launched {
  readonly pid: number;
  readonly exited: Promise<void>;
  readonly hasEnded: () => boolean;
  readonly said: () => string;
  readonly logFile: string;
}

async function launch(
  options: TemporalServerOptions,
  dbFile: string | undefined,
  folder: string | undefined,
): Promise<Launched> {
  const serverLog = openServerLog(
    join(folder ?? tmpdir(), folder === undefined ? `defib-temporal-${options.port}.log` : 'temporal.log'),
  );
  // Its own process group: Ctrl-C in a terminal must reach the workers first, their server goes last.
  const child = spawn(options.path, argumentsOf(options, dbFile), {
    detached: true,
    stdio: ['ignore', serverLog.fd, serverLog.fd],
    env: { ...TEMPORAL_RUNTIME, ...withoutTemporalSettings() },
  });
  serverLog.close();
  let ended = false;
  const exited = new Promise<void>((resolved) => {
    const settle = () => {
      ended = true;
      resolved();
    };
    child.once('exit', settle);
    child.once('error', settle);
  });
  if (child.pid === undefined) throw new StartError(`Temporal did not start: ${options.path} can't be run.`);
  if (folder !== undefined) recordTemporal(folder, child.pid);
  return { pid: child.pid, exited, hasEnded: () => ended, said: serverLog.newText, logFile: serverLog.file };
}

function argumentsOf(options: TemporalServerOptions, dbFile: string | undefined): string[] {
  const settings = Object.entries({ ...TEMPORAL_SETTINGS, ...options.settings });
  const { namespace = 'default', uiPort, searchAttributes = {} } = options;
  return [
    'server',
    'start-dev',
    '--ip=127.0.0.1',
    `--port=${options.port}`,
    '--log-level=error',
    ...(uiPort === undefined ? ['--headless'] : ['--ui-ip=127.0.0.1', `--ui-port=${uiPort}`]),
    ...(dbFile === undefined ? [] : ['--db-filename', dbFile]),
    ...(dbFile === undefined ? [] : SQLITE_PRAGMAS.flatMap((pragma) => ['--sqlite-pragma', pragma])),
    ...(namespace === 'default' ? [] : ['--namespace', namespace]),
    ...Object.entries(searchAttributes).flatMap(([name, type]) => ['--search-attribute', `${name}=${type}`]),
    ...settings.flatMap(([name, value]) => ['--dynamic-config-value', `${name}=${JSON.stringify(value)}`]),
  ];
}

interface Awaited extends Launched {
  readonly port: number;
  readonly namespace: string;
  readonly retentionDays: number;
  readonly log: (line: string) => void;
}

async function untilItServes(server: Awaited): Promise<void> {
  const startedAt = Date.now();
  let told = false;
  let failure: unknown;
  for (;;) {
    if (server.hasEnded()) throw whyItEnded(server);
    try {
      // The SDK's first reconnect waits a second: ask it only when there is somebody to answer.
      if (await answers(server.port)) {
        await setRetention(server);
        return;
      }
    } catch (cause) {
      failure = cause;
    }
    if (Date.now() - startedAt > 120_000) {
      throw new StartError(`Temporal does not serve after two minutes, see ${server.logFile}.`, { cause: failure });
    }
    if (!told && Date.now() - startedAt > 5_000) {
      told = true;
      server.log('Temporal is still starting …');
    }
    await sleep(50);
  }
}

/** Only a server that has its namespace in memory answers this one. */
async function setRetention(server: Awaited): Promise<void> {
  const connection = await Connection.connect({ address: `127.0.0.1:${server.port}`, connectTimeout: '2s' });
  try {
    const { namespace } = server;
    const found = await connection.workflowService.describeNamespace({ namespace });
    const retention = msToTs(server.retentionDays * DAY_MS);
    if (Number(found.config?.workflowExecutionRetentionTtl?.seconds) === Number(retention.seconds)) return;
    await connection.workflowService.updateNamespace({
      namespace,
      config: { workflowExecutionRetentionTtl: retention },
    });
  } finally {
    await connection.close();
  }
}

function whyItEnded(server: Awaited): StartError {
  const said = server.said();
  if (/address already in use/i.test(said)) return portTaken(server.port, 'TEMPORAL_PORT', 'Temporal');
  const lines = said.split('\n').filter((line) => line.trim() !== '');
  const reason = lines.find((line) => /error|fatal/i.test(line)) ?? lines.at(-1) ?? 'it said nothing';
  return new StartError(`Temporal did not start: ${reason} (${server.logFile})`);
}

/** TEMPORAL_* of the person's shell are meant for the CLI as a client, and some change how it starts. */
function withoutTemporalSettings(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('TEMPORAL_')));
}

function once(action: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => (running ??= action());
}
