import type { z } from 'zod';
import { findNotices, type NoticeRow } from '../../db/notices/notices.ts';
import { OPERATORS, PEOPLE } from '../../domain/roles.ts';
import { BY_ID, readPage } from '../cursor.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { type Endpoint, endpoint, ok } from '../endpoint.ts';
import { declaredFields, toIso } from '../schemas/fields.ts';
import { noticeAnswer, noticeListAnswer, noticeListExample, noticeListQuery } from '../schemas/notices.ts';

/** What people should know of, about their VMs and, for operators, about the installation. */
export function noticeEndpoints({ database }: ApiDependencies): Endpoint[] {
  const list = endpoint({
    id: 'listNotices',
    method: 'get',
    path: '/api/notices',
    tag: 'Notices',
    summary: 'What people should know of, newest first; an operator also sees what concerns the installation',
    roles: PEOPLE,
    query: noticeListQuery,
    example: { query: { open: 'true', limit: 100 } },
    answers: { 200: { description: 'At most 1,000 at a time', schema: noticeListAnswer, example: noticeListExample } },
  }).handle(async ({ caller, query }) => {
    const { tenantId, role } = caller;
    const withInstallation = OPERATORS.includes(role);
    const { page, nextCursor } = await readPage(query, BY_ID, (beforeId, limit) =>
      findNotices(database, { tenantId, withInstallation, open: query.open ?? null, beforeId, limit }),
    );
    return ok({ notices: page.map(toAnswer), nextCursor });
  });
  return [list];
}

function toAnswer(row: NoticeRow): z.input<typeof noticeAnswer> {
  return {
    ...declaredFields(noticeAnswer, row),
    openedAt: row.openedAt.toISOString(),
    lastSeenAt: row.lastSeenAt.toISOString(),
    closedAt: toIso(row.closedAt),
  };
}
