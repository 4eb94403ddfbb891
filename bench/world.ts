import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { type Database, openDatabase } from '../db/database.ts';
import { migrate } from '../db/migrate.ts';
import { startPostgres } from '../local/embedded-postgres.ts';
import { type Ending, endProcess } from '../local/processes.ts';
import { findTemporalProgram } from '../local/temporal-finder.ts';
import { startTemporalServer } from '../local/temporal-server.ts';
import { createCircuit } from '../temporal/circuit.ts';
import { createVmSignals, type VmSignals } from '../temporal/vm-signals.ts';
import { freePorts, newUsersEnvironment } from '../test/support/defib-process.ts';
import { makeRunFolder } from '../test/support/leftover-runs.ts';
import { startProgram } from '../test/support/program.ts';
import { startTargets, type Targets } from './start-targets.ts';
import type { Stops } from './stops.ts';

const NAMESPACE = 'default';
const ENDING: Ending = [
  { signal: 'SIGTERM', waitMs: 20_000 },
  { signal: 'SIGKILL', waitMs: 5_000 },
];

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
}

export interface WorldPlan {
  readonly stops: Stops;
  readonly qmpSocketDirs?: readonly string[];
  readonly profileDir?: string | null;
}

/**
 * Starts everything; what was started is ended by `stops`, also when this rejects.
 * @throws StartError or Error for what can't be started.
 */
export async function startWorld({ stops, qmpSocketDirs = [], profileDir = null }: WorldPlan): Promise<World> {
  const { path: dir, remove } = makeRunFolder();
  stops.add(remove);
  const ports = await freePorts();
  const log = (line: string) => process.stderr.write(`  ${line}\n`);
  const postgres = await startPostgres({ dataDir: join(dir, 'postgres'), port: ports.POSTGRES_PORT, log });
  stops.add(postgres.stop);
  const { path } = await findTemporalProgram();
  const [port, uiPort] = [ports.TEMPORAL_PORT, ports.TEMPORAL_UI_PORT];
  const temporal = await startTemporalServer({ path, dataDir: join(dir, 'temporal'), port, uiPort });
  stops.add(temporal.stop);
  await migrate(postgres.url);
  const targets = await startTargets();
  stops.add(() => endProcess(targets.pid, ENDING));

  const adminToken = randomBytes(24).toString('base64url');
  const settings = {
    DATABASE_URL: postgres.url,
    TEMPORAL_ADDRESS: temporal.address,
    TEMPORAL_NAMESPACE: NAMESPACE,
    DEFIB_DATA_DIR: dir,
    DEFIB_ADMIN_TOKEN: adminToken,
    CHECK_TARGETS_ALLOW: '127.0.0.0/8:1-65535',
    QMP_SOCKET_DIRS: qmpSocketDirs.join(','),
    ...Object.fromEntries(Object.entries(ports).map(([name, number]) => [name, String(number)])),
    // one client that asks without a pause is more than a token may
    RATE_LIMIT_PER_MINUTE: '1000000',
    RATE_LIMIT_ADDRESS_PER_MINUTE: '1000000',
  };
  if (profileDir !== null) mkdirSync(profileDir, { recursive: true });
  const profiling = profileDir === null ? [] : ['--cpu-prof', '--cpu-prof-dir', profileDir];
  const [workerPid, apiPid] = await Promise.all([
    startNode('worker', 'worker is running', { settings, stops, flags: profiling }),
    startNode('api', 'API is serving', { settings, stops, flags: [] }),
  ]);

  const connection = await Connection.connect({ address: temporal.address });
  const client = new Client({ connection, namespace: NAMESPACE });
  stops.add(() => connection.close());
  const database = openDatabase(postgres.url, { applicationName: 'defib-bench', max: 4 });
  stops.add(() => database.close());
  const workerPart: Part = { name: 'worker', pid: workerPid, product: true, memory: 'rss' };
  const apiPart: Part = { name: 'API', pid: apiPid, product: true, memory: 'rss' };
  return {
    database,
    signals: createVmSignals(client, createCircuit(client)),
    targets,
    apiUrl: `http://127.0.0.1:${ports.PORT}`,
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
  };
}

interface NodeProcess {
  readonly settings: Readonly<Record<string, string>>;
  readonly stops: Stops;
  readonly flags: readonly string[];
}

/** Runs a built entry point with default settings but for these; resolves with its pid once its log says that it is ready. */
async function startNode(entry: string, readyLine: string, { settings, stops, flags }: NodeProcess): Promise<number> {
  const command = [process.execPath, ...flags, join('dist', 'workers', `${entry}.js`)];
  // its own process group: Ctrl-C in a terminal must not end it before those who talk to it
  const program = startProgram(command, {
    env: { ...newUsersEnvironment(), ...settings },
    endWithUs: 'TERM',
    ownGroup: true,
  });
  stops.add(() => endProcess(program.pid, ENDING));
  await program.said(new RegExp(readyLine));
  return program.pid;
}
