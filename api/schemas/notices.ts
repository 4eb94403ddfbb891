import { z } from 'zod';
import { atAnswer, nextCursorAnswer, pageQuery } from './fields.ts';

export const noticeListQuery = z.strictObject({
  open: z
    .enum(['true', 'false'], 'must be true or false')
    .describe('only those that are so, or that are over')
    .optional(),
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
