import type { Pool } from 'pg';
import type { ListeningSpan } from '../../domain/agent-staleness.ts';
import type { Database } from '../database.ts';

/** How often whoever receives reports marks that it does. */
export const MARK_EVERY_MS = 10_000;
/** A mark this much later still continues the stretch: one may be missed. */
const CONTINUES_WITHIN_MS = 25_000;
/** The newest mark stands for now while it is no older than this. */
const STANDS_FOR_NOW_MS = 15_000;
/** Longer than any check may call a heartbeat fresh. */
const KEPT_MS = 8 * 86_400_000;

/** Marks that Defib can receive reports now. Several API processes may mark at once: their stretches overlap. */
export async function markListening({ pool }: Pick<Database, 'pool'>, nowMs: number): Promise<void> {
  const now = new Date(nowMs);
  const { rowCount } = await pool.query(
    `UPDATE listening_spans SET until_at = greatest(until_at, $1)
     WHERE from_at = (SELECT from_at FROM listening_spans ORDER BY until_at DESC LIMIT 1) AND until_at >= $2`,
    [now, new Date(nowMs - CONTINUES_WITHIN_MS)],
  );
  if (rowCount !== 0) return;
  await pool.query('INSERT INTO listening_spans (from_at, until_at) VALUES ($1, $1) ON CONFLICT DO NOTHING', [now]);
  await pool.query('DELETE FROM listening_spans WHERE until_at < $1', [new Date(nowMs - KEPT_MS)]);
}

/** When Defib could receive reports in the last days, oldest first, not overlapping. */
export async function findListening(pool: Pool, nowMs: number): Promise<ListeningSpan[]> {
  const { rows } = await pool.query<{ from_at: Date; until_at: Date }>({
    name: 'find-listening',
    text: 'SELECT from_at, until_at FROM listening_spans WHERE until_at >= $1 ORDER BY from_at',
    values: [new Date(nowMs - KEPT_MS)],
  });
  const spans: ListeningSpan[] = [];
  for (const row of rows) {
    const span = { fromMs: row.from_at.getTime(), untilMs: row.until_at.getTime() };
    const before = spans.at(-1);
    if (before && span.fromMs <= before.untilMs) before.untilMs = Math.max(before.untilMs, span.untilMs);
    else spans.push(span);
  }
  const newest = spans.at(-1);
  if (newest && nowMs - newest.untilMs <= STANDS_FOR_NOW_MS) newest.untilMs = Math.max(newest.untilMs, nowMs);
  return spans;
}
