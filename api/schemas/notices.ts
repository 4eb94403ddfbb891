import { z } from 'zod';
import { atAnswer, nextCursorAnswer, openQuery, pageQuery } from './fields.ts';

export const noticeListQuery = z.strictObject({
  open: openQuery.describe('only those that are so, or that are over'),
  ...pageQuery,
});

export const noticeAnswer = z.object({
  id: z.uuid(),
  kind: z.string().describe('for machines'),
  subject: z.string(),
  vmId: z.uuid().nullable(),
  message: z.string().describe('what is the case, and what to do'),
  openedAt: z.iso.datetime(),
  lastSeenAt: z.iso.datetime(),
  closedAt: atAnswer.describe('null = it is still so'),
  count: z.int().describe('how often it was found to be so'),
});

export const noticeListAnswer = z.object({ notices: z.array(noticeAnswer), nextCursor: nextCursorAnswer });

export const noticeListExample: z.input<typeof noticeListAnswer> = {
  notices: [
    {
      id: '01a20f33-0000-7000-8000-000000000005',
      kind: 'unproven-check',
      subject: 'check/01a20f33-0000-7000-8000-000000000104',
      vmId: '01a20f33-0000-7000-8000-000000000003',
      message: 'Check http of VM web-1 has never succeeded: is its target right? It says: HTTP 404',
      openedAt: '2026-11-22T07:55:00.000Z',
      lastSeenAt: '2026-11-22T08:00:00.000Z',
      closedAt: null,
      count: 5,
    },
  ],
  nextCursor: null,
};
