import { lt } from 'drizzle-orm';
import { healEvents, healSteps, incidents, operations } from '../db/schema/heals.ts';
import { apiTokens } from '../db/schema/tenants.ts';
import { healthTransitions, listeningSpans } from '../db/schema/vms.ts';
import { dropPartitionsBefore, ensurePartitions } from '../db/upkeep/partitions.ts';
import type { Dependencies } from './dependencies.ts';

const DAY_MS = 86_400_000;

/**
 * Keeps as much history as the settings say: results and metrics by dropping whole days, heal history row by row. Open
 * incidents and unfinished operations stay. Makes the partitions of the coming days as well.
 */
export async function applyRetention(deps: Dependencies): Promise<{ line: string }> {
  const { orm, pool } = deps.database;
  const nowMs = deps.now();
  await ensurePartitions(pool, nowMs);
  const resultsBeforeMs = nowMs - deps.settings.RESULT_RETENTION_DAYS * DAY_MS;
  const healsBefore = new Date(nowMs - deps.settings.HEAL_RETENTION_DAYS * DAY_MS);
  const dropped = [
    ...(await dropPartitionsBefore(pool, 'check_results', resultsBeforeMs)),
    ...(await dropPartitionsBefore(pool, 'vm_metrics', resultsBeforeMs)),
  ];
  const events = await orm.delete(healEvents).where(lt(healEvents.triggeredAt, healsBefore));
  await orm.delete(healSteps).where(lt(healSteps.lastSeenAt, healsBefore));
  await orm.delete(operations).where(lt(operations.endedAt, healsBefore));
  await orm.delete(incidents).where(lt(incidents.closedAt, healsBefore));
  await orm.delete(healthTransitions).where(lt(healthTransitions.at, healsBefore));
  await orm.delete(listeningSpans).where(lt(listeningSpans.untilAt, new Date(resultsBeforeMs)));
  await orm.delete(apiTokens).where(lt(apiTokens.expiresAt, healsBefore));
  return { line: `dropped ${dropped.length} days of results and metrics, ${events.rowCount ?? 0} heal events` };
}
