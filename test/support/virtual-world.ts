import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import type { Activities } from '../../activities/contract.ts';
import { ensureSearchAttributes } from '../../temporal/namespace.ts';
import { createWorkers } from '../../workers/create-workers.ts';
import { workflowBundle } from '../../workers/workflow-bundle.ts';
import { startVirtualTime } from './virtual-time.ts';

/** The workflows as they are, on a server with virtual time, with whatever activities a test brings. */
export interface VirtualWorld {
  env: TestWorkflowEnvironment;
  stop(): Promise<void>;
}

/** Called before anything else of Temporal. */
export async function startVirtualWorld(
  activities: (env: TestWorkflowEnvironment) => Activities,
): Promise<VirtualWorld> {
  installRuntime();
  const env = await untilStarted();
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
    shutdownGraceMs: 100,
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

/** The SDK gives a server 5 s to come up; a loaded machine may need another try. */
async function untilStarted(tries = 4): Promise<TestWorkflowEnvironment> {
  try {
    return await startVirtualTime();
  } catch (error) {
    if (tries <= 1 || !/did not start within/.test(String(error))) throw error;
    return untilStarted(tries - 1);
  }
}

let installed = false;

/** Once per process, however many worlds a file starts. */
function installRuntime(): void {
  if (!installed) Runtime.install({ logger: new DefaultLogger('ERROR') });
  installed = true;
}
