import { proxyActivities } from '@temporalio/workflow';
import type { UpkeepActivities } from '../activities/contract.ts';

const { applyRetention, reconcile: reconcileOnce } = proxyActivities<UpkeepActivities>({
  startToCloseTimeout: '5 minutes',
  retry: { maximumInterval: '1 minute', maximumAttempts: 5 },
  priority: { priorityKey: 5 },
});

/** Started daily by schedule `retain`: keeps as much history as the settings say. */
export async function retain(): Promise<string> {
  return (await applyRetention()).line;
}

/** Started every minute by schedule `reconcile`: repairs what Postgres and Temporal disagree about. */
export async function reconcile(): Promise<string> {
  return (await reconcileOnce()).line;
}
