import { type Notice, recordNotice, recordNoticesClosedExcept } from '../db/notices/notices.ts';
import type { Dependencies } from './dependencies.ts';

type Needed = Pick<Dependencies, 'database' | 'log' | 'now'>;

/** Stores a notice, and logs it once, when it opens. */
export async function notice({ database, log, now }: Needed, about: Notice): Promise<void> {
  const opened = await recordNotice(database.orm, about, now());
  const { kind, subject, message } = about;
  if (opened) log.error({ notice: kind, subject }, message);
}

/** All that is so of one kind: opens what is new and closes what is not so any more. */
export async function noticesOf(needed: Needed, kind: string, found: readonly Omit<Notice, 'kind'>[]): Promise<void> {
  for (const one of found) await notice(needed, { ...one, kind });
  const subjects = found.map(({ subject }) => subject);
  const closed = await recordNoticesClosedExcept(needed.database.orm, kind, subjects, needed.now());
  for (const { subject } of closed) needed.log.warn({ notice: kind, subject }, 'is over');
}
