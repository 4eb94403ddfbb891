import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client, DatabaseError, escapeIdentifier } from 'pg';
import { firstLineOf, StartError } from '../workers/start-error.ts';
import { environmentOfServers } from './environment.mjs';
import { exitOf, type RunningPart } from './part.ts';
import { requireFreePort } from './ports.ts';
import { choosePostgresAccount } from './postgres-account.ts';
import { findPostgresBinaries } from './postgres-binaries.ts';
import { commandLineOf, isRunning } from './processes.ts';
import { openServerLog } from './server-log.ts';
import { until } from './until.ts';

export interface PostgresOptions {
  /** Holds the cluster, its password and its log; made when missing. The caller alone uses it. */
  readonly dataDir: string;
  readonly port: number;
  /** Made when missing; `url` leads to it. */
  readonly database?: string;
  /** For tests: nothing waits for the disk, so a power cut may lose everything. */
  readonly throwaway?: boolean;
  /** For tests: server settings before its usual ones. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Receives a line about each thing that takes some time or that a person should know. */
  readonly log?: (line: string) => void;
}

export interface RunningPostgres extends RunningPart {
  readonly url: string;
  /** The maintenance database, with the right to make others. */
  readonly adminUrl: string;
  readonly pid: number;
  /** Ends the server with what it has committed safely on disk; may be called more than once. */
  readonly stop: () => Promise<void>;
}

const USER = 'postgres';
/** A postmaster that was killed leaves children, and no other may start until the last of them has ended. */
const ORPHANS_LEFT = /pre-existing shared memory block/;
const ORPHANS_MS = 20_000;
const STARTED_WITHIN_MS = 120_000;

/**
 * Starts Postgres on 127.0.0.1 with the data of earlier runs, or makes a new cluster. A server that a crashed run left running
 * in the folder is stopped first.
 * @throws StartError in one line when the port is taken or the server doesn't come up.
 */
export async function startPostgres(options: PostgresOptions): Promise<RunningPostgres> {
  const { port, log = () => undefined, database = 'defib', throwaway = false } = options;
  mkdirSync(options.dataDir, { recursive: true, mode: 0o700 });
  const cluster = await openCluster(options.dataDir);
  await endLeftover(cluster, log);
  await requireFreePort(port, 'POSTGRES_PORT', 'Postgres');
  const password = readOrMakePassword(cluster);
  if (existsSync(cluster.data)) requireVersion(cluster);
  else await makeData(cluster, log);
  const { pid, exited, lastLines } = await launch(cluster, { ...options, throwaway }, log);
  let stopping: Promise<void> | undefined;
  const stop = () =>
    (stopping ??= (async () => {
      if (isRunning(pid)) await shutDown(cluster);
      await exited;
    })());
  const urlOf = (name: string) =>
    `postgres://${USER}:${encodeURIComponent(password)}@127.0.0.1:${port}/${encodeURIComponent(name)}`;
  try {
    await makeDatabase(urlOf('postgres'), database);
  } catch (error) {
    await stop();
    if (!(error instanceof DatabaseError) || error.code !== '28P01') throw error;
    throw new StartError(
      `Postgres does not take the password in ${cluster.passwordFile}: put the right one there, or move ${cluster.folder} away.`,
    );
  }
  return { url: urlOf(database), adminUrl: urlOf('postgres'), pid, exited, lastLines, stop };
}

/** Stops what an earlier run left behind in this folder, after a kill -9 of its parent. No other process gets a signal. */
export async function endLeftoverPostgres(folder: string, log: (line: string) => void): Promise<void> {
  await endLeftover(await openCluster(folder), log);
}

interface Cluster {
  readonly folder: string;
  readonly data: string;
  readonly passwordFile: string;
  readonly majorVersion: string;
  readonly initdb: (...args: string[]) => Promise<unknown>;
  /** https://www.postgresql.org/docs/current/app-pg-ctl.html */
  readonly stop: (...args: string[]) => Promise<unknown>;
  /** The server as a child of this process, so that we learn how it ends. It writes to that descriptor. */
  readonly postgres: (flags: readonly string[], fd: number) => ChildProcess;
  /** Gives data to the account that Postgres runs as. */
  readonly own: (path: string) => void;
}

async function openCluster(dataDir: string): Promise<Cluster> {
  // As Postgres's command line has it, by which a later start knows it again.
  const folder = realpathSync(dataDir);
  const { initdb, pg_ctl, postgres, majorVersion } = await findPostgresBinaries();
  const data = join(folder, 'data');
  const { prefix, owner } = choosePostgresAccount(data, postgres);
  const env = { ...environmentOfServers(), LC_ALL: 'C' };
  const run = (...command: string[]) => {
    const [file = '', ...args] = [...prefix, ...command];
    return promisify(execFile)(file, args, { cwd: folder, env });
  };
  const serve = (flags: readonly string[], fd: number) => {
    const [file = '', ...args] = [...prefix, postgres, '-D', data, ...flags];
    // Its own process group: Ctrl-C in a terminal must reach those who use it first.
    return spawn(file, args, { cwd: folder, env, detached: true, stdio: ['ignore', fd, fd] });
  };
  return {
    folder,
    data,
    passwordFile: join(folder, 'password'),
    majorVersion,
    initdb: (...args) => run(initdb, ...args),
    stop: (...args) => run(pg_ctl, 'stop', '-w', '-s', '-D', data, ...args),
    postgres: serve,
    own: (path) => owner && execFileSync('chown', ['-R', owner, path]),
  };
}

async function endLeftover(cluster: Cluster, log: (line: string) => void): Promise<void> {
  const pidFile = join(cluster.data, 'postmaster.pid');
  if (!existsSync(pidFile)) return;
  const pid = postmasterOf(cluster);
  // The id may belong to another process by now: pg_ctl would signal it, and Postgres would not start because of it.
  if (isRunning(pid) && commandLineOf(pid)?.includes(cluster.data)) {
    log(`Stopping the Postgres that an earlier run left behind (process ${pid}).`);
    await shutDown(cluster).catch((cause: unknown) => {
      throw new StartError(`the earlier Postgres (process ${pid}) can't be stopped: stop it yourself.`, { cause });
    });
    await until(() => !isRunning(pid));
  }
  rmSync(pidFile, { force: true });
}

/** Fast, then immediate: https://www.postgresql.org/docs/current/server-shutdown.html */
async function shutDown(cluster: Cluster): Promise<void> {
  // a stopped process would not handle the next signal
  process.kill(postmasterOf(cluster), 'SIGCONT');
  await cluster.stop('-m', 'fast', '-t', '10').catch(() => cluster.stop('-m', 'immediate', '-t', '10'));
}

function postmasterOf({ data }: Cluster): number {
  return Number(readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n', 1)[0]);
}

function readOrMakePassword({ folder, data, passwordFile }: Cluster): string {
  if (existsSync(passwordFile)) return readFileSync(passwordFile, 'utf8').trim();
  if (existsSync(data)) {
    throw new StartError(
      `${passwordFile} is missing, and without it nobody gets into the database beside it: put it back, or move ${folder} away to begin anew.`,
    );
  }
  const password = randomBytes(24).toString('base64url');
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
  return password;
}

function requireVersion({ data, majorVersion }: Cluster): void {
  const made = readFileSync(join(data, 'PG_VERSION'), 'utf8').trim();
  if (made === majorVersion) return;
  throw new StartError(
    `${data} was made by Postgres ${made}, this is ${majorVersion}: dump it with the old one (pg_dump), or move it away to begin anew.`,
  );
}

async function makeData(
  { folder, data, passwordFile, initdb, own }: Cluster,
  log: (line: string) => void,
): Promise<void> {
  log(`Making a Postgres cluster in ${data} …`);
  // Under another name until it is complete, so that an interrupted initdb is not taken for a cluster.
  const unfinished = join(folder, 'data.unfinished');
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { mode: 0o700 });
  own(unfinished);
  const account = [`--pgdata=${unfinished}`, `--username=${USER}`, `--pwfile=${passwordFile}`, '--auth=scram-sha-256'];
  try {
    await initdb(...account, '--encoding=UTF8', '--locale=C', '--no-data-checksums', '--no-sync');
  } catch (cause) {
    const said = String((cause as { stderr?: string }).stderr).split('\n');
    const reason = said.find((line) => line.includes('error')) ?? firstLineOf(cause);
    throw new StartError(`Postgres could not make its cluster in ${data}: ${reason}`, { cause });
  }
  renameSync(unfinished, data);
}

type Launched = Pick<RunningPostgres, 'pid' | 'exited' | 'lastLines'>;

async function launch(
  cluster: Cluster,
  { port, throwaway, settings: given }: PostgresOptions,
  log: (line: string) => void,
): Promise<Launched> {
  const settings = {
    listen_addresses: '127.0.0.1',
    port,
    unix_socket_directories: '',
    shared_buffers: '128MB',
    max_connections: '100',
    wal_level: 'minimal',
    max_wal_senders: '0',
    max_wal_size: '512MB',
    timezone: 'UTC',
    log_timezone: 'UTC',
    ...(throwaway ? { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' } : {}),
    ...given,
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  cluster.own(cluster.data);
  const slow = setTimeout(log, 3_000, 'Postgres is still starting; after a crash it first replays its log …');
  try {
    return await until(() => launchOnce(cluster, flags), {
      everyMs: 250,
      limitMs: ORPHANS_MS,
      otherwise: new StartError(`Postgres did not start: processes of one that was killed still use ${cluster.data}.`),
    });
  } finally {
    clearTimeout(slow);
  }
}

/** Null while processes of a server that was killed keep it from starting. @throws StartError */
async function launchOnce(cluster: Cluster, flags: readonly string[]): Promise<Launched | null> {
  const serverLog = openServerLog(join(cluster.folder, 'postgres.log'));
  const child = cluster.postgres(flags, serverLog.fd);
  serverLog.close();
  let hasEnded = false;
  const exited = exitOf(child).finally(() => {
    hasEnded = true;
  });
  const { pid } = child;
  const { file, lastLines, newText, reason } = serverLog;
  const isUp = () => hasEnded || (pid !== undefined && acceptsConnections(cluster, pid));
  await until(isUp, { everyMs: 20, limitMs: STARTED_WITHIN_MS }).catch(() => undefined);
  if (!hasEnded && pid !== undefined && acceptsConnections(cluster, pid)) return { pid, exited, lastLines };
  if (ORPHANS_LEFT.test(newText())) return null;
  // One that is still starting after two minutes would keep the port.
  child.kill('SIGQUIT');
  await exited;
  const why = reason(/FATAL|PANIC/).replace(/^.*?(FATAL|PANIC):\s*/, '');
  throw new StartError(`Postgres did not start: ${why} (${file})`);
}

/**
 * Whether this server says so in its pid file, as `pg_ctl start` finds out: line 8 is its state.
 * https://github.com/postgres/postgres/blob/REL_18_STABLE/src/include/utils/pidfile.h
 */
function acceptsConnections({ data }: Cluster, pid: number): boolean {
  const file = join(data, 'postmaster.pid');
  if (!existsSync(file)) return false;
  const lines = readFileSync(file, 'utf8').split('\n');
  return Number(lines[0]) === pid && /^(ready|standby)/.test(lines[7] ?? '');
}

async function makeDatabase(adminUrl: string, name: string): Promise<void> {
  const client = new Client({ connectionString: adminUrl, ssl: false, connectionTimeoutMillis: 5_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [name]);
    if (rowCount === 0) await client.query(`create database ${escapeIdentifier(name)}`);
  } finally {
    await client.end().catch(() => undefined);
  }
}
