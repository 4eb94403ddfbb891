import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Connection } from '@temporalio/client';
import { pino } from 'pino';
import { parseSettings } from '../../../domain/settings.ts';
import { environment } from '../../../local/environment.mjs';
import { findFreePort } from '../../../local/ports.ts';
import { createRest, type Rest } from '../../../local/rest.ts';
import { until } from '../../../local/until.ts';
import { ensureSearchAttributes } from '../../../temporal/namespace.ts';
import { startApiServer } from '../../../workers/start-api-server.ts';
import { createTestDatabase } from '../../support/postgres.ts';
import { type Program, startProgram } from '../../support/program.ts';
import { BUNDLES } from '../../support/run-workers.ts';
import { startTestVm, type TestVm } from '../vm/start-test-vm.ts';
import type { FaultPoint } from './fault-points.ts';

/** Everything but the worker, for one VM alone: a namespace, a database, the API and the VM. */
export interface VmWorld {
  rest: Rest;
  vm: TestVm;
  /** Starts a worker that dies, or is frozen, at this point, once. */
  startFaultyWorker(point: FaultPoint): FaultyWorker;
  /** Starts a worker as systemd would: by its entry point, settings in the environment. */
  startWorker(): Program;
  stop(): Promise<void>;
}

export interface FaultyWorker extends Program {
  reachedItsPoint(): boolean;
  /** SIGCONT: frozen, it goes on. */
  thaw(): void;
}

const FAULTY_WORKER = fileURLToPath(new URL('./faulty-worker.ts', import.meta.url));

/** @throws what could not be started; the rest is then stopped. */
export async function createVmWorld(temporal: { address: string; connection: Connection }): Promise<VmWorld> {
  const stops: (() => Promise<void> | void)[] = [];
  const stop = async () => {
    for (const step of stops.splice(0).toReversed()) await step();
  };
  try {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), 'defib-world-')));
    stops.push(() => rmSync(folder, { recursive: true, force: true }));
    const database = await createTestDatabase();
    stops.push(database.drop);
    const namespace = `world-${randomUUID()}`;
    await registerNamespace(temporal.connection, namespace);
    const given = {
      DEFIB_DATA_DIR: BUNDLES,
      DATABASE_URL: database.url,
      TEMPORAL_ADDRESS: temporal.address,
      TEMPORAL_NAMESPACE: namespace,
      CHECK_TARGETS_ALLOW: '127.0.0.0/8:1-65535',
      QMP_SOCKET_DIRS: folder,
      PORT: String(await findFreePort()),
      // nobody makes backups here
      PAUSED_GRACE_SECONDS: '5',
      LOG_LEVEL: 'warn',
    };
    const parsed = parseSettings(given);
    if (!parsed.ok) throw new Error(parsed.problems.join('; '));
    const token = randomBytes(24).toString('base64url');
    const connections = { databaseUrl: database.url, temporalAddress: temporal.address, namespace };
    const api = await startApiServer(parsed.settings, connections, pino({ level: 'silent' }), token);
    stops.push(() => api.close(500));
    const vm = await startTestVm({ dir: folder, bootLimitMs: 240_000 });
    stops.push(() => vm.stop());

    const startWorker = (entryPoint: string, ...args: string[]) => {
      const { PATH = '', HOME = '' } = environment;
      const command = [process.execPath, '--import', 'tsx', entryPoint, ...args];
      const worker = startProgram(command, { env: { PATH, HOME, ...given }, endWithUs: 'KILL' });
      stops.push(() => worker.kill());
      return worker;
    };
    return {
      rest: createRest(api.url, token),
      vm,
      startFaultyWorker(point) {
        const mark = join(folder, `reached-${point}`);
        const worker = startWorker(FAULTY_WORKER, point, mark);
        return {
          ...worker,
          reachedItsPoint: () => existsSync(mark),
          thaw: () => void process.kill(worker.pid, 'SIGCONT'),
        };
      },
      startWorker: () => startWorker('workers/worker.ts'),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function registerNamespace(connection: Connection, namespace: string): Promise<void> {
  await connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: { seconds: 86_400 as never },
  });
  const ready = () =>
    ensureSearchAttributes(connection, namespace).then(
      () => true,
      () => false,
    );
  await until(ready, {
    everyMs: 500,
    limitMs: 30_000,
    otherwise: new Error(`parts of the server have not heard of namespace ${namespace}`),
  });
}
