import { fileURLToPath } from 'node:url';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { inject } from 'vitest';
import type { Activities } from '../../activities/contract.ts';
import { until } from '../../local/until.ts';
import { ensureSearchAttributes } from '../../temporal/namespace.ts';
import './provided.ts';
import { installQuietRuntime, runWorkers } from './run-workers.ts';

/** The workflows as they are, on a server with virtual time, with the activities of a test. */
export interface VirtualWorld {
  env: TestWorkflowEnvironment;
  /** Lets virtual time pass, `stepMs` at a time, until it is so. */
  until(what: () => boolean | Promise<boolean>, stepMs: number): Promise<unknown>;
  stop(): Promise<void>;
}

/** What workers of virtual worlds add to the workflows: see there. */
export const uniqueActivityIds = fileURLToPath(new URL('./unique-activity-ids.ts', import.meta.url));

/** Called before anything else of Temporal. */
export async function startVirtualWorld(
  activities: (env: TestWorkflowEnvironment) => Activities,
): Promise<VirtualWorld> {
  installQuietRuntime();
  const env = await startVirtualTime();
  await ensureSearchAttributes(env.connection, env.namespace ?? 'default');
  const options = { interceptors: [uniqueActivityIds], shutdownGraceMs: 100 };
  const stopWorkers = await runWorkers(env.nativeConnection, activities(env), options);
  return {
    env,
    until: (what, stepMs) => until(what, { pause: () => env.sleep(stepMs) }),
    async stop() {
      await stopWorkers();
      await env.teardown();
    },
  };
}

/**
 * A server with virtual time of its own for one test file: its clock is global. `teardown()` it in afterAll.
 * @throws the reason when there is none.
 */
export async function startVirtualTime(tries = 4): Promise<TestWorkflowEnvironment> {
  const provided = inject('virtualTime');
  if (!provided.ok) throw new Error(provided.reason);
  try {
    const executable = { type: 'existing-path', path: provided.path } as const;
    return await TestWorkflowEnvironment.createTimeSkipping({ server: { executable } });
  } catch (error) {
    // The SDK gives a server 5 s to come up; a loaded machine may need another try.
    if (tries <= 1 || !/did not start within/.test(String(error))) throw error;
    return startVirtualTime(tries - 1);
  }
}
