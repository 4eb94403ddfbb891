import type { Client } from '@temporalio/client';
import { Worker } from '@temporalio/worker';
import { workflowBundle } from '../../workers/workflow-bundle.ts';
import { BUNDLES } from './run-workers.ts';
import { uniqueActivityIds } from './virtual-world.ts';

/** Replays the histories that these workflows made on a server with virtual time. @throws (rejects) when one does not replay */
export async function replayAll(client: Client, workflowIds: readonly string[]): Promise<void> {
  const bundle = await workflowBundle(BUNDLES, [uniqueActivityIds]);
  for (const workflowId of workflowIds) {
    const history = await client.workflow.getHandle(workflowId).fetchHistory();
    await Worker.runReplayHistory({ workflowBundle: bundle }, history);
  }
}
