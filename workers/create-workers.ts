import { NativeConnection, Worker, type WorkflowBundleOption } from '@temporalio/worker';
import type { HealActivities, UpkeepActivities, WatchActivities } from '../activities/contract.ts';
import { CORE_TASK_QUEUE, siteTaskQueue } from '../domain/ids.ts';

export interface WorkerOptions {
  connection: NativeConnection;
  namespace: string;
  site: string;
  activities: WatchActivities & HealActivities & UpkeepActivities;
  workflowBundle: WorkflowBundleOption;
  maxConcurrentLooks: number;
  /** How long activities under way may take to end once it is stopped, ms. */
  shutdownGraceMs?: number;
}

/**
 * The two workers of a process: one for workflows, decisions and heals, one for the looks of its site. Stopped together
 * by `shutdown`.
 */
export async function createWorkers(options: WorkerOptions): Promise<{ run(): Promise<void>; shutdown(): void }> {
  const { connection, namespace, activities, shutdownGraceMs: shutdownGraceTime = 10_000 } = options;
  const { watch, ...decisions } = activities;
  const core = await Worker.create({
    connection,
    namespace,
    taskQueue: CORE_TASK_QUEUE,
    workflowBundle: options.workflowBundle,
    activities: decisions,
    reuseV8Context: true,
    // a watched VM sleeps for days: keeping its workflow in memory would cost more than reading it back
    maxCachedWorkflows: 200,
    maxConcurrentActivityTaskExecutions: 50,
    shutdownGraceTime,
  });
  const looks = await Worker.create({
    connection,
    namespace,
    taskQueue: siteTaskQueue(options.site),
    activities: { watch },
    maxConcurrentActivityTaskExecutions: options.maxConcurrentLooks,
    shutdownGraceTime,
  });
  return {
    async run() {
      await Promise.all([core.run(), looks.run()]);
    },
    shutdown() {
      for (const worker of [core, looks]) if (worker.getState() === 'RUNNING') worker.shutdown();
    },
  };
}
