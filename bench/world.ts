import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { type Database, openDatabase } from '../db/database.ts';
import { migrate } from '../db/migrate.ts';
import { startPostgres } from '../local/embedded-postgres.ts';
import { findFreePorts } from '../local/ports.ts';
import { endProcess } from '../local/processes.ts';
import { findTemporalServer, startTemporalServer } from '../local/temporal-server.ts';
import { createVmSignals, type VmSignals } from '../temporal/vm-signals.ts';
import { Stops } from './stops.ts';
import { startTargets, type Targets } from './target-process.ts';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));
const NAMESPACE = 'default';
const READY_WITHIN_MS = 120_000;
export const ENDING = [
  { signal: 'SIGTERM', waitMs: 20_000 },
  { signal: 'SIGKILL', waitMs: 5_000 },
] as const;

/** A process, or one with its descendants. `product`: its CPU counts; the targets and the bench are only shown. */
export interface Part {
  readonly name: string;
  readonly pid: number;
  readonly product: boolean;
  readonly memory: 'rss' | 'pss';
}

/** All of Defib, each part a process, on 127.0.0.1, with data in a temporary folder. */
export interface World {
  readonly database: Database;
  readonly signals: VmSignals;
  readonly targets: Targets;
  readonly apiUrl: string;
  readonly adminToken: string;
  readonly parts: readonly Part[];
  readonly worker: Part;
  readonly api: Part;
  readonly workerStartedAtMs: number;
  readonly postgresVersion: string;
}

export interface WorldPlan {
  readonly stops: Stops;
  readonly qmpSocketDirs?: readonly string[];
  readonly profileDir?: string | null;
}

/** Starts everything; what was started is ended by `stops`, also when this rejects. */
export async function startWorld({ stops, qmpSocketDirs = [], profileDir = null }: WorldPlan): Promise<World> {
  const dir = mkdtempSync(join(tmpdir(), 'defib-bench-'));
  stops.add(() => rmSync(dir, { recursive: true, force: true }));
  const [postgresPort = 0, temporalPort = 0, uiPort = 0, apiPort = 0] = await findFreePorts(4);
  const log = (line: string) => process.stderr.write(`  ${line}\n`);

  const postgres = await stops.start(
    () => startPostgres({ dataDir: join(dir, 'postgres'), port: postgresPort, log }),
    (server) => server.stop(),
  );
  const temporal = await stops.start(
    () => startOwnTemporal(dir, temporalPort, uiPort),
    (server) => server.stop(),
  );
  await migrate(postgres.url);
  const targets = await stops.start(startTargets, ({ pid }) => endProcess(pid, ENDING));

  const adminToken = randomBytes(24).toString('base64url');
  const settings = {
    DATABASE_URL: postgres.url,
    TEMPORAL_ADDRESS: temporal.address,
    TEMPORAL_NAMESPACE: NAMESPACE,
    DEFIB_DATA_DIR: dir,
    DEFIB_ADMIN_TOKEN: adminToken,
    CHECK_TARGETS_ALLOW: '127.0.0.0/8',
    QMP_SOCKET_DIRS: qmpSocketDirs.join(','),
    PORT: String(apiPort),
    POSTGRES_PORT: String(postgresPort),
    TEMPORAL_PORT: String(temporalPort),
    TEMPORAL_UI_PORT: String(uiPort),
    // one client that asks without a pause is more than a token may
    RATE_LIMIT_PER_MINUTE: '1000000',
    RATE_LIMIT_ADDRESS_PER_MINUTE: '1000000',
  };
  if (profileDir !== null) mkdirSync(profileDir, { recursive: true });
  const profiling = profileDir === null ? [] : ['--cpu-prof', '--cpu-prof-dir', profileDir];
  const workerStartedAtMs = Date.now();
  const [workerPid, apiPid] = await Promise.all([
    startNode('worker', 'worker is running', { dir, settings, stops, flags: profiling }),
    startNode('api', 'API is serving', { dir, settings, stops, flags: [] }),
  ]);

  const connection = await stops.start(
    () => Connection.connect({ address: temporal.address }),
    (open) => open.close(),
  );
  const database = openDatabase(postgres.url, { applicationName: 'defib-bench', max: 4 });
  stops.add(() => database.close());
  const { rows } = await database.pool.query<{ server_version: string }>('SHOW server_version');
  const workerPart: Part = { name: 'worker', pid: workerPid, product: true, memory: 'rss' };
  const apiPart: Part = { name: 'API', pid: apiPid, product: true, memory: 'rss' };
  return {
    database,
    signals: createVmSignals(new Client({ connection, namespace: NAMESPACE })),
    targets,
    apiUrl: `http://127.0.0.1:${apiPort}`,
    adminToken,
    parts: [
      workerPart,
      { name: 'Temporal', pid: temporal.pid, product: true, memory: 'rss' },
      { name: 'Postgres', pid: postgres.pid, product: true, memory: 'pss' },
      apiPart,
      { name: 'targets', pid: targets.pid, product: false, memory: 'rss' },
    ],
    worker: workerPart,
    api: apiPart,
    workerStartedAtMs,
    postgresVersion: rows[0]?.server_version ?? '?',
  };
}

/** Ours always, set as `npm start` sets it, whatever the environment names. */
async function startOwnTemporal(dir: string, port: number, uiPort: number) {
  const folder = join(dir, 'temporal');
  mkdirSync(folder);
  return startTemporalServer({ path: await temporalProgram(), dbFile: join(folder, 'temporal.db'), port, uiPort });
}

export async function temporalProgram(): Promise<string> {
  const source = await findTemporalServer({ environment: withoutOwnSettings() });
  if (source.kind === 'address') throw new Error('the bench starts a Temporal server of its own');
  return source.path;
}

interface NodeProcess {
  readonly dir: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly stops: Stops;
  readonly flags: readonly string[];
}

/** Runs a built entry point with default settings but for these; resolves with its pid once its log says that it is ready. */
async function startNode(entry: string, readyLine: string, plan: NodeProcess): Promise<number> {
  const logFile = join(plan.dir, `${entry}.log`);
  const fd = openSync(logFile, 'a');
  const child = spawn(process.execPath, [...plan.flags, join('dist', 'workers', `${entry}.js`)], {
    cwd: ROOT,
    stdio: ['ignore', fd, fd],
    env: { ...withoutOwnSettings(), ...plan.settings },
    // its own process group: Ctrl-C in a terminal must not end it before those who talk to it
    detached: true,
  });
  closeSync(fd);
  const { pid } = child;
  if (pid === undefined) throw new Error(`${entry} can't be run`);
  plan.stops.add(() => endProcess(pid, ENDING));
  const untilMs = Date.now() + READY_WITHIN_MS;
  while (!readFileSync(logFile, 'utf8').includes(readyLine)) {
    if (child.exitCode !== null || child.signalCode !== null || Date.now() > untilMs) {
      throw new Error(`${entry} does not run:\n${readFileSync(logFile, 'utf8').slice(-2_000)}`);
    }
    await sleep(50);
  }
  return pid;
}

/** The environment without what would lead Defib to other parts or settings. */
export function withoutOwnSettings(): NodeJS.ProcessEnv {
  const own =
    /^(DEFIB_|TEMPORAL_|POSTGRES_|RATE_LIMIT_|CHECK_|QMP_|npm_|(HOST|PORT|DATABASE_URL|LOG_LEVEL|MAX_CONCURRENT_LOOKS|NODE_OPTIONS|STALE_TIMEOUT_MS)$)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !own.test(name)));
}
