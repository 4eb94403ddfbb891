import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, escapeIdentifier } from 'pg';
import { claimFolder } from './folder-claim.ts';
import { endLeftoverPostgres, POSTGRES_ENDING } from './leftover-postgres.ts';
import { requireFreePort } from './ports.ts';
import { choosePostgresAccount, type PostgresAccount } from './postgres-account.ts';
import { findPostgresBinaries, type PostgresBinaries } from './postgres-binaries.ts';
import { endProcess } from './processes.ts';
import { openServerLog, type ServerLog } from './server-log.ts';
import { StartError } from './start-error.ts';

export interface PostgresOptions {
  /** Holds the cluster, its password and its log; made when missing. */
  readonly dataDir: string;
  readonly port: number;
  /** Made when missing; `url` leads to it. */
  readonly database?: string;
  /** For tests: nothing waits for the disk, a power cut may lose everything. */
  readonly throwaway?: boolean;
  /** Gets one line for each thing that takes a while or that a person should know. */
  readonly log?: (line: string) => void;
}

export interface RunningPostgres {
  readonly url: string;
  /** The maintenance database, with the right to make others. */
  readonly adminUrl: string;
  readonly pid: number;
  /** Resolves when the server has ended, asked for or not. */
  readonly exited: Promise<void>;
  /** Ends the server with what it has committed safely on disk; may be called more than once. */
  readonly stop: () => Promise<void>;
}

const USER = 'postgres';
const DATABASE = 'defib';

/**
 * Starts Postgres on 127.0.0.1 with the data of earlier runs, or makes a new cluster. What a crashed run left running
 * in the folder is stopped first.
 * @throws StartError in one line when the port is taken, the folder is in use, or the server doesn't come up.
 */
export async function startPostgres(options: PostgresOptions): Promise<RunningPostgres> {
  const { port, log = () => undefined, database = DATABASE, throwaway = false } = options;
  const folder = resolve(options.dataDir);
  const release = claimFolder(folder);
  try {
    const binaries = findPostgresBinaries();
    const cluster = join(folder, 'data');
    if (existsSync(cluster)) await endLeftoverPostgres(cluster, log);
    await requireFreePort(port, 'POSTGRES_PORT', 'Postgres');
    const account = choosePostgresAccount(cluster, binaries.postgres);
    const password = readOrMakePassword(folder, cluster);
    if (existsSync(cluster)) requireVersion(cluster, binaries.majorVersion);
    else makeCluster(cluster, folder, binaries, account, log);
    account.own(cluster);
    const urlOf = (name: string) =>
      `postgres://${USER}:${encodeURIComponent(password)}@127.0.0.1:${port}/${encodeURIComponent(name)}`;
    const server = await launch({ cluster, folder, binaries, account, port, throwaway, log, url: urlOf('postgres') });
    const stop = once(async () => {
      await endProcess(server.pid, POSTGRES_ENDING);
      await server.exited;
      release();
    });
    try {
      await makeDatabase(urlOf('postgres'), database);
    } catch (error) {
      await stop();
      throw error;
    }
    return { url: urlOf(database), adminUrl: urlOf('postgres'), ...server, stop };
  } catch (error) {
    release();
    throw error;
  }
}

function readOrMakePassword(folder: string, cluster: string): string {
  const file = join(folder, 'password');
  if (existsSync(file)) return readFileSync(file, 'utf8').trim();
  if (existsSync(cluster)) {
    throw new StartError(
      `${file} is missing, and without it nobody gets into the database beside it: put it back, or move ${folder} away to begin anew.`,
    );
  }
  const password = randomBytes(24).toString('base64url');
  writeFileSync(file, `${password}\n`, { mode: 0o600 });
  return password;
}

function requireVersion(cluster: string, majorVersion: string): void {
  const made = readFileSync(join(cluster, 'PG_VERSION'), 'utf8').trim();
  if (made === majorVersion) return;
  throw new StartError(
    `${cluster} was made by Postgres ${made}, this is ${majorVersion}: dump it with the old one (pg_dump), or move it away to begin anew.`,
  );
}

function makeCluster(
  cluster: string,
  folder: string,
  binaries: PostgresBinaries,
  account: PostgresAccount,
  log: (line: string) => void,
): void {
  log(`Making a Postgres cluster in ${cluster} …`);
  // Under another name until it is whole: an initdb cut short must not pass for a cluster.
  const unfinished = join(folder, 'data.unfinished');
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { mode: 0o700 });
  account.own(unfinished);
  const { file, args } = account.wrap(binaries.initdb, [
    `--pgdata=${unfinished}`,
    `--username=${USER}`,
    `--pwfile=${join(folder, 'password')}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
    '--no-data-checksums',
    '--no-sync',
  ]);
  const initdb = spawnSync(file, args, { encoding: 'utf8', env: withoutPostgresSettings(), cwd: folder });
  if (initdb.status !== 0) {
    const said = `${initdb.stderr ?? ''}${initdb.error?.message ?? ''}`.trim().split('\n');
    throw new StartError(
      `Postgres could not make its cluster in ${cluster}: ${said.find((line) => line.includes('error')) ?? said[0]}`,
    );
  }
  renameSync(unfinished, cluster);
}

interface Launch {
  readonly cluster: string;
  readonly folder: string;
  readonly binaries: PostgresBinaries;
  readonly account: PostgresAccount;
  readonly port: number;
  readonly throwaway: boolean;
  readonly url: string;
  readonly log: (line: string) => void;
}

async function launch(plan: Launch): Promise<Pick<RunningPostgres, 'pid' | 'exited'>> {
  const settings = {
    listen_addresses: '127.0.0.1',
    port: String(plan.port),
    unix_socket_directories: '',
    shared_buffers: '128MB',
    max_connections: '100',
    wal_level: 'minimal',
    max_wal_senders: '0',
    max_wal_size: '512MB',
    timezone: 'UTC',
    log_timezone: 'UTC',
    ...(plan.throwaway ? { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' } : {}),
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const { file, args } = plan.account.wrap(plan.binaries.postgres, ['-D', plan.cluster, ...flags]);
  const serverLog = openServerLog(join(plan.folder, 'postgres.log'));
  // Its own process group: Ctrl-C in a terminal must reach the workers first, Postgres goes last.
  const child = spawn(file, args, {
    detached: true,
    stdio: ['ignore', serverLog.fd, serverLog.fd],
    env: withoutPostgresSettings(),
    cwd: plan.folder,
  });
  serverLog.close();
  const state = { ended: false };
  const exited = new Promise<void>((resolved) => {
    const settle = () => {
      state.ended = true;
      resolved();
    };
    child.once('exit', settle);
    child.once('error', settle);
  });
  try {
    await untilItAnswers(plan, serverLog, state);
  } catch (error) {
    if (child.pid !== undefined && !state.ended) await endProcess(child.pid, POSTGRES_ENDING);
    throw error;
  }
  if (child.pid === undefined) throw new StartError('Postgres has no process id.');
  return { pid: child.pid, exited };
}

async function untilItAnswers(plan: Launch, serverLog: ServerLog, state: { readonly ended: boolean }): Promise<void> {
  const startedAt = Date.now();
  let told = false;
  for (;;) {
    if (state.ended)
      throw new StartError(`Postgres did not start: ${reasonIn(serverLog.newText())} (${serverLog.file})`);
    try {
      await query(plan.url, 'select 1');
      return;
    } catch (error) {
      const code = (error as { code?: string }).code;
      if (code === '28P01') {
        throw new StartError(
          `Postgres does not take the password in ${join(plan.folder, 'password')}: put the right one there, or move ${plan.folder} away.`,
        );
      }
      if (Date.now() - startedAt > 120_000) {
        throw new StartError(`Postgres does not answer after two minutes, see ${serverLog.file}.`, { cause: error });
      }
    }
    if (!told && Date.now() - startedAt > 3_000) {
      told = true;
      plan.log('Postgres is still starting; after a crash it first replays its log …');
    }
    await sleep(25);
  }
}

function reasonIn(text: string): string {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const fatal = lines.find((line) => /FATAL|PANIC/.test(line)) ?? lines.at(-1) ?? 'it said nothing';
  return fatal.replace(/^.*?(FATAL|PANIC):\s*/, '');
}

async function makeDatabase(adminUrl: string, name: string): Promise<void> {
  const quoted = escapeIdentifier(name);
  const found = await query(adminUrl, 'select 1 from pg_database where datname = $1', [name]);
  if (found === 0) await query(adminUrl, `create database ${quoted}`);
}

async function query(url: string, text: string, values: unknown[] = []): Promise<number> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return (await client.query(text, values)).rowCount ?? 0;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** PGDATA, PGPORT and the like of the person's shell are meant for their own Postgres. */
function withoutPostgresSettings(): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('PG') && !name.startsWith('LC_'));
  return { ...Object.fromEntries(own), LC_ALL: 'C' };
}

function once(action: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => (running ??= action());
}
