import { join } from 'node:path';
import { Client } from 'pg';
import type { TestProject } from 'vitest/node';
import { startPostgres } from '../../local/embedded-postgres.ts';
import { findFreePort } from '../../local/ports.ts';
import { findTemporalServer } from '../../local/temporal-finder.ts';
import { startTemporalServer } from '../../local/temporal-server.ts';
import { findTimeSkippingServer } from '../../local/time-skipping-server.ts';
import { firstLineOf } from '../../workers/start-error.ts';
import { makeRunFolder, removeLeftoverRuns } from './leftover-runs.ts';
import type { Provided } from './provided.ts';

const TEMPLATE = 'defib_template';

const stops: (() => Promise<void> | void)[] = [];

/** One Postgres with a migrated template and one Temporal server for the whole run. @throws when there is no Postgres. */
export async function setup(project: TestProject): Promise<void> {
  await removeLeftoverRuns(log);
  const folder = makeRunFolder();
  stops.push(folder.remove);
  const providing = {
    postgres: providePostgres(folder.path),
    temporal: orReason(provideTemporal(folder.path)),
    virtualTime: orReason(findTimeSkippingServer(log).then((path) => ({ ok: true as const, path }))),
  };
  try {
    // All settle before one failure ends the run, or a server that comes up late would outlive it.
    await Promise.allSettled(Object.values(providing));
    project.provide('postgres', await providing.postgres);
    project.provide('temporal', await providing.temporal);
    project.provide('virtualTime', await providing.virtualTime);
  } catch (error) {
    await teardown();
    throw error;
  }
}

/** Ends both and removes their data. */
export async function teardown(): Promise<void> {
  for (const stop of stops.splice(0).toReversed()) await stop();
}

async function providePostgres(folder: string): Promise<Provided['postgres']> {
  const dataDir = join(folder, 'postgres');
  const server = await startPostgres({ dataDir, port: await findFreePort(), database: TEMPLATE, throwaway: true });
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
  const source = await findTemporalServer({ log });
  if (source.kind === 'address') return { ok: true, address: source.address, namespace: 'default' };
  const { path } = source;
  const dataDir = join(folder, 'temporal');
  const server = await startTemporalServer({ path, dataDir, port: await findFreePort(), throwaway: true });
  stops.push(server.stop);
  return { ok: true, address: server.address, namespace: server.namespace };
}

async function orReason<T>(provided: Promise<T>): Promise<T | { ok: false; reason: string }> {
  return provided.catch((error: unknown) => ({ ok: false, reason: firstLineOf(error) }));
}

function log(line: string): void {
  process.stderr.write(`${line}\n`);
}
