import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import type { HealActivities, UpkeepActivities, WatchActivities } from '../../activities/contract.ts';
import { ensureSearchAttributes } from '../../temporal/namespace.ts';
import { createWorkers } from '../../workers/create-workers.ts';
import { workflowBundle } from '../../workers/workflow-bundle.ts';
import { startVirtualTime } from './virtual-time.ts';

/** The workflows as they are, on a server with virtual time, with whatever activities a test brings. */
export interface VirtualWorld {
  env: TestWorkflowEnvironment;
  stop(): Promise<void>;
}

/** Called once per test file, before anything else of Temporal. */
export async function startVirtualWorld(
  activities: (env: TestWorkflowEnvironment) => WatchActivities & HealActivities & UpkeepActivities,
): Promise<VirtualWorld> {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const env = await startVirtualTime();
  await ensureSearchAttributes(env.connection, env.namespace ?? 'default');
  const workers = await createWorkers({
    connection: env.nativeConnection,
    namespace: env.namespace ?? 'default',
    site: 'main',
    activities: activities(env),
    workflowBundle: await workflowBundle(join(tmpdir(), 'defib-test-bundles'), [
      fileURLToPath(new URL('./unique-activity-ids.ts', import.meta.url)),
    ]),
    maxConcurrentLooks: 20,
  });
  const running = workers.run();
  return {
    env,
    async stop() {
      workers.shutdown();
      await running;
      await env.teardown();
    },
  };
}
