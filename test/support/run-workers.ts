import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DefaultLogger, type NativeConnection, Runtime } from '@temporalio/worker';
import type { HealActivities, UpkeepActivities, WatchActivities } from '../../activities/contract.ts';
import { createWorkers } from '../../workers/create-workers.ts';
import { workflowBundle } from '../../workers/workflow-bundle.ts';

export type Activities = WatchActivities & HealActivities & UpkeepActivities;

/** Workers of all tests bundle their workflows once. */
export const BUNDLES = join(tmpdir(), 'defib-test-bundles');

let quiet = false;

/** Keeps the SDK's news out of the tests' output; before anything else of Temporal, once per process. */
export function quietenTemporal(): void {
  if (!quiet) Runtime.install({ logger: new DefaultLogger('ERROR') });
  quiet = true;
}

/** The real workflows, with whatever activities a test brings. Resolves with what stops them. */
export async function runWorkers(
  connection: NativeConnection,
  activities: Activities,
  options: { interceptors?: string[]; shutdownGraceMs?: number } = {},
): Promise<() => Promise<void>> {
  const { interceptors = [], ...grace } = options;
  const workers = await createWorkers({
    connection,
    namespace: 'default',
    site: 'main',
    activities,
    workflowBundle: await workflowBundle(BUNDLES, interceptors),
    maxConcurrentLooks: 20,
    ...grace,
  });
  const running = workers.run();
  return async () => {
    workers.shutdown();
    await running;
  };
}
