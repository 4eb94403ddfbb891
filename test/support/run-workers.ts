import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DefaultLogger, type NativeConnection, Runtime } from '@temporalio/worker';
import type { Activities } from '../../activities/contract.ts';
import { createWorkers, type WorkerOptions } from '../../workers/create-workers.ts';
import { workflowBundle } from '../../workers/workflow-bundle.ts';

/** Workers of all tests bundle their workflows once. */
export const BUNDLES = join(tmpdir(), 'defib-test-bundles');

let installed = false;

/** Has the SDK log errors only. Called before anything else of Temporal; the SDK allows it once per process. */
export function installQuietRuntime(): void {
  if (!installed) Runtime.install({ logger: new DefaultLogger('ERROR') });
  installed = true;
}

/** Runs the real workflows with the activities of a test. Resolves with what stops them. */
export async function runWorkers(
  connection: NativeConnection,
  activities: Activities,
  options: { site?: string; interceptors?: string[] } & Pick<WorkerOptions, 'shutdownGraceMs' | 'version'> = {},
): Promise<() => Promise<void>> {
  const { site = 'main', interceptors = [], ...others } = options;
  const workers = await createWorkers({
    connection,
    namespace: 'default',
    site,
    activities,
    workflowBundle: await workflowBundle(BUNDLES, interceptors),
    maxConcurrentLooks: 20,
    ...others,
  });
  const running = workers.run();
  return async () => {
    workers.shutdown();
    await running;
  };
}
