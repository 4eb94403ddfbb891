import { join } from 'node:path';
import { Client } from 'pg';
import type { TestProject } from 'vitest/node';
import { startPostgres } from '../../local/embedded-postgres.ts';
import { findFreePort } from '../../local/ports.ts';
import { firstLineOf } from '../../local/start-error.ts';
import { findTemporalServer, startTemporalServer } from '../../local/temporal-server.ts';
import { findTimeSkippingServer } from '../../local/time-skipping-server.ts';
import { makeRunFolder, removeLeftoverRuns } from './leftover-runs.ts';
import type { Provided } from './provided.ts';

const TEMPLATE = 'defib_template';

const stops: (() => Promise<void> | void)[] = [];

/** One Postgres with a migrated template and one Temporal server for the whole run. */
export async function setup(project: TestProject): Promise<void> {
  await removeLeftoverRuns(log);
  const { path: folder, remove } = makeRunFolder();
  stops.push(remove);
  // All settle before one failure ends the run, or a server that comes up late would outlive it.
  const [postgres, temporal, virtualTime] = await Promise.allSettled([
    providePostgres(folder),
    provideTemporal(folder),
    provideVirtualTime(),
  ]);
  try {
    project.provide('postgres', valueOf(postgres));
    project.provide('temporal', valueOf(temporal));
    project.provide('virtualTime', valueOf(virtualTime));
  } catch (error) {
    await teardown();
    throw error;
  }
}

/** Ends both and removes their data. */
export async function teardown(): Promise<void> {
  for (const stop of stops.splice(0).toReversed()) await stop();
}

function valueOf<T>(result: PromiseSettledResult<T>): T {
  if (result.status === 'rejected') throw result.reason;
  return result.value;
}

async function providePostgres(folder: string): Promise<Provided['postgres']> {
  const server = await startPostgres({
    dataDir: join(folder, 'postgres'),
    port: await findFreePort(),
    database: TEMPLATE,
    throwaway: true,
  });
  stops.push(server.stop);
  const { migrate } = await import('../../db/migrate.ts');
  await migrate(server.url);
  const admin = new Client({ connectionString: server.adminUrl });
  await admin.connect();
  // A connection to a template, however short, would make copying it fail.
  await admin.query(`alter database ${TEMPLATE} is_template true allow_connections false`);
  await admin.end();
  return { adminUrl: server.adminUrl, template: TEMPLATE };
}

async function provideTemporal(folder: string): Promise<Provided['temporal']> {
  try {
    const source = await findTemporalServer({ log });
    if (source.kind === 'address') return { ok: true, address: source.address, namespace: 'default' };
    const server = await startTemporalServer({
      path: source.path,
      folder: join(folder, 'temporal'),
      port: await findFreePort(),
    });
    stops.push(server.stop);
    return { ok: true, address: server.address, namespace: server.namespace };
  } catch (error) {
    return { ok: false, reason: firstLineOf(error) };
  }
}

async function provideVirtualTime(): Promise<Provided['virtualTime']> {
  try {
    const { server } = await findTimeSkippingServer({ log });
    if (server.executable === undefined) throw new Error('a test server without a program');
    return { ok: true, executable: server.executable };
  } catch (error) {
    return { ok: false, reason: firstLineOf(error) };
  }
}

function log(line: string): void {
  process.stderr.write(`${line}\n`);
}
