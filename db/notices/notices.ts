import { and, desc, eq, isNotNull, isNull, lt, or, sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { cleanText } from '../clean-text.ts';
import type { Database, Queryable } from '../database.ts';
import { notices } from '../schema/notices.ts';

export type NoticeRow = typeof notices.$inferSelect;

/** Something that people should know of. */
export interface Notice {
  kind: string;
  subject: string;
  /** Null = it concerns the installation. */
  tenantId: string | null;
  vmId: string | null;
  message: string;
}

/** At most this many notices in one statement. */
const MAX_AT_ONCE = 1_000;

/** Opens notices about different subjects, or updates those that are open; answers those that were opened. */
export async function recordNotices(db: Queryable, found: readonly Notice[], nowMs: number): Promise<Notice[]> {
  const at = new Date(nowMs);
  const opened = new Set<string>();
  for (let from = 0; from < found.length; from += MAX_AT_ONCE) {
    const rows = await db
      .insert(notices)
      .values(
        found.slice(from, from + MAX_AT_ONCE).map((one) => {
          return { ...one, message: cleanText(one.message), id: uuidv7(), openedAt: at, lastSeenAt: at };
        }),
      )
      .onConflictDoUpdate({
        target: [notices.kind, notices.subject],
        targetWhere: isNull(notices.closedAt),
        set: { message: sql`excluded.message`, lastSeenAt: at, count: sql`${notices.count} + 1` },
      })
      .returning({ subject: notices.subject, count: notices.count });
    for (const { subject, count } of rows) if (count === 1) opened.add(subject);
  }
  return found.filter(({ subject }) => opened.has(subject));
}

/** Closes what is open of this kind about this subject; false when nothing was. */
export async function recordNoticeClosed(
  db: Queryable,
  kind: string,
  subject: string,
  nowMs: number,
): Promise<boolean> {
  return (await closeWhere(db, eq(notices.subject, subject), kind, nowMs)).length > 0;
}

/** Closes what is open of this kind about any other subject than these, and answers what was closed. */
export async function recordNoticesClosedExcept(
  db: Queryable,
  kind: string,
  subjects: readonly string[],
  nowMs: number,
): Promise<NoticeRow[]> {
  // one array, because there may be more subjects than a statement can have parameters
  return closeWhere(db, sql`${notices.subject} <> ALL(${sql.param([...subjects])}::text[])`, kind, nowMs);
}

/** Closes what is open of this kind and was last found before that time; answers what was closed. */
export async function recordUnrenewedNoticesClosed(
  db: Queryable,
  kind: string,
  sinceMs: number,
  nowMs: number,
): Promise<NoticeRow[]> {
  return closeWhere(db, lt(notices.lastSeenAt, new Date(sinceMs)), kind, nowMs);
}

async function closeWhere(
  db: Queryable,
  condition: ReturnType<typeof eq>,
  kind: string,
  nowMs: number,
): Promise<NoticeRow[]> {
  return db
    .update(notices)
    .set({ closedAt: new Date(nowMs) })
    .where(and(eq(notices.kind, kind), isNull(notices.closedAt), condition))
    .returning();
}

export interface NoticeFilter {
  tenantId: string;
  /** Whether those of the installation are included. */
  withInstallation: boolean;
  /** True = only open ones, false = only closed ones, null = both. */
  open: boolean | null;
  beforeId: string | null;
  limit: number;
}

/** A page of the notices for a tenant, newest first. */
export async function findNotices({ orm }: Database, filter: NoticeFilter): Promise<NoticeRow[]> {
  const { tenantId, withInstallation, open, beforeId, limit } = filter;
  return orm
    .select()
    .from(notices)
    .where(
      and(
        or(eq(notices.tenantId, tenantId), withInstallation ? isNull(notices.tenantId) : undefined),
        open === null ? undefined : open ? isNull(notices.closedAt) : isNotNull(notices.closedAt),
        beforeId === null ? undefined : lt(notices.id, beforeId),
      ),
    )
    .orderBy(desc(notices.id))
    .limit(limit);
}
