import { NativeConnection, Worker, type WorkerDeploymentOptions, type WorkflowBundleOption } from '@temporalio/worker';
import type { Activities } from '../activities/contract.ts';
import { CORE_TASK_QUEUE, siteTaskQueue } from '../domain/ids.ts';

export interface WorkerOptions {
  connection: NativeConnection;
  namespace: string;
  site: string;
  activities: Activities;
  workflowBundle: WorkflowBundleOption;
  maxConcurrentLooks: number;
  /** How long activities under way may take to end once it is stopped, ms. */
  shutdownGraceMs?: number;
  /** The build of the worker of workflows, where builds run side by side. It gets no work until that build is current. */
  version?: WorkerDeploymentOptions['version'] | undefined;
}

/**
 * The two workers of a process: one for workflows and decisions, one for what is done from its site: looks, and calls to
 * the providers reached from there. Stopped together by `shutdown`.
 */
export async function createWorkers(options: WorkerOptions): Promise<{ run(): Promise<void>; shutdown(): void }> {
  const { connection, namespace, activities, version, shutdownGraceMs: shutdownGraceTime = 10_000 } = options;
  const { watch, askProvider, carryOut, readBack, callProvider, ...central } = activities;
  const core = await Worker.create({
    connection,
    namespace,
    taskQueue: CORE_TASK_QUEUE,
    workflowBundle: options.workflowBundle,
    // notifying people needs no provider, so it is carried out here; heals of 0.1 schedule these activities here for all sites
    activities: { ...central, carryOut, readBack },
    reuseV8Context: true,
    // a watched VM sleeps for days: keeping its workflow in memory would cost more than reading it back
    maxCachedWorkflows: 200,
    maxConcurrentActivityTaskExecutions: 50,
    shutdownGraceTime,
    ...(version && { workerDeploymentOptions: versioned(version) }),
  });
  // has no version: activities of any build do what workflows of any build ask for (activities/contract.ts only grows)
  const site = await Worker.create({
    connection,
    namespace,
    taskQueue: siteTaskQueue(options.site),
    activities: { watch, askProvider, carryOut, readBack, callProvider },
    maxConcurrentActivityTaskExecutions: options.maxConcurrentLooks,
    shutdownGraceTime,
  });
  return {
    async run() {
      await Promise.all([core.run(), site.run()]);
    },
    shutdown() {
      for (const worker of [core, site]) if (worker.getState() === 'RUNNING') worker.shutdown();
    },
  };
}

/** Workflows move to the build that is current at their next task, but for those that workflows/index.ts pins. */
function versioned(version: WorkerDeploymentOptions['version']): WorkerDeploymentOptions {
  return { version, useWorkerVersioning: true, defaultVersioningBehavior: 'AUTO_UPGRADE' };
}
