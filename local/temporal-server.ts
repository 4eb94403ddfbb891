import { spawn } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { StartError } from '../workers/start-error.ts';
import { environmentOfServers } from './environment.mjs';
import { listeningPorts } from './listening-ports.ts';
import { exitOf, type RunningPart } from './part.ts';
import { answers, findFreePorts, portTaken, requireFreePort } from './ports.ts';
import { type Ending, endProcess, notedProcess, noteProcess } from './processes.ts';
import { openServerLog, type ServerLog } from './server-log.ts';
import { SQLITE_PRAGMAS, TEMPORAL_RUNTIME, TEMPORAL_SETTINGS } from './temporal-settings.ts';
import { until } from './until.ts';

export interface TemporalServerOptions {
  /** The program, as findTemporalProgram gave it. */
  readonly path: string;
  /** Holds its data, its log and its process id; made when missing. The caller alone uses it. */
  readonly dataDir: string;
  /** For tests: data is in memory, and gone when the server stops. */
  readonly throwaway?: boolean;
  readonly port: number;
  /** Without one there is no Web UI. */
  readonly uiPort?: number;
  /** Default `default`. */
  readonly namespace?: string;
  /** How long closed runs are kept. The server's own default is 24 hours, the heal events' is 90 days. */
  readonly retentionDays?: number;
  readonly log?: (line: string) => void;
}

export interface RunningTemporal extends RunningPart {
  readonly address: string;
  readonly namespace: string;
  readonly uiUrl: string | undefined;
  readonly pid: number;
  /** All ports it listens on, as far as this machine tells: it opens more than it is asked to. */
  readonly ports: readonly number[];
}

const DAY_MS = 86_400_000;
const ENDING: Ending = [
  { signal: 'SIGINT', waitMs: 10_000 },
  { signal: 'SIGKILL', waitMs: 5_000 },
];

/**
 * Starts a Temporal server on 127.0.0.1 and waits until it serves its namespace. One that a crashed run left behind
 * in the same folder is stopped first.
 * @throws StartError in one line when a port is taken or it doesn't come up.
 */
export async function startTemporalServer(options: TemporalServerOptions): Promise<RunningTemporal> {
  const { path, port, uiPort, namespace = 'default', retentionDays = 90, log = () => undefined } = options;
  const dataDir = resolve(options.dataDir);
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  await endLeftoverTemporal(dataDir, log);
  await requireFreePort(port, 'TEMPORAL_PORT', 'Temporal');
  if (uiPort !== undefined) await requireFreePort(uiPort, 'TEMPORAL_UI_PORT', "Temporal's Web UI");
  const given = uiPort === undefined ? [port] : [port, uiPort];
  // chosen here, so that they are known on every system: both answer without a token
  const [httpPort = 0, metricsPort = 0] = await findFreePorts(2, given);

  const serverLog = openServerLog(join(dataDir, 'temporal.log'));
  const child = spawn(path, argumentsOf(options, { httpPort, metricsPort }, dataDir), {
    // Its own process group: Ctrl-C in a terminal must reach the workers first, their server goes last.
    detached: true,
    stdio: ['ignore', serverLog.fd, serverLog.fd],
    env: { ...TEMPORAL_RUNTIME, ...environmentOfServers() },
    cwd: dataDir,
  });
  serverLog.close();
  let hasEnded = false;
  const exited = exitOf(child).finally(() => {
    hasEnded = true;
  });
  const { pid } = child;
  if (pid === undefined) throw new StartError(`Temporal did not start: ${path} can't be run.`);
  noteProcess(pidFileIn(dataDir), pid);
  let stopping: Promise<void> | undefined;
  const stop = () =>
    (stopping ??= (async () => {
      if (!hasEnded) await endProcess(pid, ENDING);
      await exited;
      rmSync(pidFileIn(dataDir), { force: true });
    })());
  const slow = setTimeout(log, 5_000, 'Temporal is still starting …');
  try {
    await until(
      async () => {
        if (hasEnded) throw whyItEnded(serverLog, port);
        // The SDK's first reconnect waits a second: ask it only when there is somebody to answer.
        return (await answers(port)) && setRetention(port, namespace, retentionDays).catch(() => false);
      },
      { otherwise: new StartError(`Temporal does not serve after two minutes, see ${serverLog.file}.`) },
    );
  } catch (error) {
    await stop();
    throw error;
  } finally {
    clearTimeout(slow);
  }
  const uiUrl = uiPort === undefined ? undefined : `http://127.0.0.1:${uiPort}`;
  const ports = [...new Set([...given, httpPort, metricsPort, ...listeningPorts(pid)])];
  const { lastLines } = serverLog;
  return { address: `127.0.0.1:${port}`, namespace, uiUrl, pid, ports, exited, lastLines, stop };
}

/** Stops the Temporal server that a killed run left in this folder. No other process gets a signal. */
export async function endLeftoverTemporal(dataDir: string, log: (line: string) => void): Promise<void> {
  const pid = notedProcess(pidFileIn(dataDir));
  if (pid !== undefined) {
    log(`Stopping the Temporal server that an earlier run left behind (process ${pid}).`);
    if (!(await endProcess(pid, ENDING))) {
      throw new StartError(`the earlier Temporal server (process ${pid}) can't be stopped: stop it yourself.`);
    }
  }
  rmSync(pidFileIn(dataDir), { force: true });
}

function pidFileIn(dataDir: string): string {
  return join(dataDir, 'temporal.pid');
}

function argumentsOf(
  { port, uiPort, namespace = 'default', throwaway }: TemporalServerOptions,
  { httpPort, metricsPort }: { httpPort: number; metricsPort: number },
  dataDir: string,
): string[] {
  const settings = Object.entries(TEMPORAL_SETTINGS).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return [
    ['server', 'start-dev', '--ip=127.0.0.1', `--port=${port}`, '--log-level=error'],
    [`--http-port=${httpPort}`, `--metrics-port=${metricsPort}`],
    uiPort === undefined ? ['--headless'] : ['--ui-ip=127.0.0.1', `--ui-port=${uiPort}`],
    throwaway ? [] : ['--db-filename', join(dataDir, 'temporal.db')],
    throwaway ? [] : SQLITE_PRAGMAS.flatMap((pragma) => ['--sqlite-pragma', pragma]),
    namespace === 'default' ? [] : ['--namespace', namespace],
    settings.flatMap((setting) => ['--dynamic-config-value', setting]),
  ].flat();
}

/** Only a server that has its namespace in memory answers this one. */
async function setRetention(port: number, namespace: string, days: number): Promise<true> {
  const connection = await Connection.connect({ address: `127.0.0.1:${port}`, connectTimeout: '2s' });
  try {
    const found = await connection.workflowService.describeNamespace({ namespace });
    const retention = msToTs(days * DAY_MS);
    if (Number(found.config?.workflowExecutionRetentionTtl?.seconds) === Number(retention.seconds)) return true;
    const config = { workflowExecutionRetentionTtl: retention };
    await connection.workflowService.updateNamespace({ namespace, config });
    return true;
  } finally {
    await connection.close();
  }
}

function whyItEnded(serverLog: ServerLog, port: number): StartError {
  if (/address already in use/i.test(serverLog.newText())) return portTaken(port, 'TEMPORAL_PORT', 'Temporal');
  return new StartError(`Temporal did not start: ${serverLog.reason(/error|fatal/i)} (${serverLog.file})`);
}
