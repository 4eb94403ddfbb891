import { type Notice, recordNotices, recordNoticesClosedExcept } from '../db/notices/notices.ts';
import type { Dependencies } from './dependencies.ts';

type Needed = Pick<Dependencies, 'database' | 'log' | 'now'>;

/** Makes `found` the open notices of this kind: opens those that are new, closes the others. Each is logged once. */
export async function noticesOf(needed: Needed, kind: string, found: readonly Omit<Notice, 'kind'>[]): Promise<void> {
  const { database, log, now } = needed;
  const about = found.map((one) => ({ ...one, kind }));
  for (const { subject, message } of await recordNotices(database.orm, about, now())) {
    log.error({ notice: kind, subject }, message);
  }
  const subjects = found.map(({ subject }) => subject);
  const closed = await recordNoticesClosedExcept(database.orm, kind, subjects, now());
  for (const { subject } of closed) log.warn({ notice: kind, subject }, 'is over');
}
