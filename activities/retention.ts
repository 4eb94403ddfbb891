import { dropPartitionsBefore, ensurePartitions } from '../db/upkeep/partitions.ts';
import { deleteHealHistoryBefore, deleteListeningBefore, deleteRateLimitsBefore } from '../db/upkeep/retention.ts';
import type { Dependencies } from './dependencies.ts';

const DAY_MS = 86_400_000;

/**
 * Keeps as much history as the settings say: results and metrics by dropping whole days, heal history row by row. Makes
 * the partitions of the coming days as well.
 */
export async function applyRetention({ database, settings, now }: Dependencies): Promise<{ line: string }> {
  const nowMs = now();
  await ensurePartitions(database.pool, nowMs);
  const resultsBeforeMs = nowMs - settings.RESULT_RETENTION_DAYS * DAY_MS;
  const dropped = [
    ...(await dropPartitionsBefore(database.pool, 'check_results', resultsBeforeMs)),
    ...(await dropPartitionsBefore(database.pool, 'vm_metrics', resultsBeforeMs)),
  ];
  const heals = await deleteHealHistoryBefore(database, nowMs - settings.HEAL_RETENTION_DAYS * DAY_MS);
  await deleteListeningBefore(database, resultsBeforeMs);
  await deleteRateLimitsBefore(database, nowMs);
  return { line: `dropped ${dropped.length} days of results and metrics, ${heals} heal events` };
}
