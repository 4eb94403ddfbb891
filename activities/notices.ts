import { type Notice, recordNotices, recordNoticesClosedExcept } from '../db/notices/notices.ts';
import type { Dependencies } from './dependencies.ts';

type Needed = Pick<Dependencies, 'database' | 'log' | 'now'>;

/** All that is so of one kind: opens what is new and closes what is not so any more. Each is logged once. */
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
