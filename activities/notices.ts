import {
  type Notice,
  recordNotice,
  recordNoticeClosed,
  recordNotices,
  recordNoticesClosedExcept,
} from '../db/notices/notices.ts';
import type { Dependencies } from './dependencies.ts';

type Needed = Pick<Dependencies, 'database' | 'log' | 'now'>;

/** Stores a notice, and logs it once, when it opens. */
export async function notice({ database, log, now }: Needed, about: Notice): Promise<void> {
  const opened = await recordNotice(database.orm, about, now());
  const { kind, subject, message } = about;
  if (opened) log.error({ notice: kind, subject }, message);
}

/** Closes a notice, and logs that it is over; nothing where none is open. */
export async function noticeOver(
  { database, log, now }: Needed,
  { kind, subject }: Pick<Notice, 'kind' | 'subject'>,
): Promise<void> {
  if (await recordNoticeClosed(database.orm, kind, subject, now())) log.warn({ notice: kind, subject }, 'is over');
}

/** All that is so of one kind: opens what is new and closes what is not so any more. */
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
