import { z } from 'zod';
import { anyObject, atAnswer, nextCursorAnswer, pageQuery } from './fields.ts';

export const healHistoryQuery = z.strictObject({ limit: pageQuery.limit.default(20) });

export const healEventAnswer = z.object({
  id: z.string(),
  podId: z.uuid(),
  incident: z.int(),
  operationId: z.string(),
  action: z.string(),
  reason: z.string(),
  result: z.enum(['pending', 'success', 'failed', 'skipped']),
  errorMessage: z.string().nullable(),
  previousStatus: z.string(),
  newStatus: z.string().nullable(),
  policyId: z.uuid().nullable(),
  triggeredAt: z.iso.datetime(),
  completedAt: atAnswer,
});

export const incidentListQuery = z.strictObject({ ...pageQuery, limit: pageQuery.limit.default(20) });

const at = z.iso.datetime();
export const incidentAnswer = z.object({
  incident: z.int(),
  openedAt: at,
  closedAt: atAnswer,
  outcome: z.string().nullable(),
  steps: z.array(
    z.object({
      step: z.int(),
      kind: z.enum(['act', 'hold', 'close']),
      reason: z.string(),
      decision: anyObject.describe('for a hold: what would change it, and when it is asked again'),
      guards: z.array(z.object({ guard: z.string(), objection: z.string().nullable() })),
      facts: anyObject.describe('the facts it was made from'),
      decidedAt: at,
      lastSeenAt: at,
      count: z.int().describe('how often the same hold was decided'),
    }),
  ),
  operations: z.array(
    z.object({
      id: z.string(),
      action: z.string(),
      power: z.string().nullable(),
      escalation: z.boolean(),
      state: z.enum(['intended', 'sent', 'abandoned', 'done']),
      detail: z.string().nullable(),
      intendedAt: at,
      sentAt: atAnswer,
      endedAt: atAnswer,
    }),
  ),
});

export const incidentListAnswer = z.object({ incidents: z.array(incidentAnswer), nextCursor: nextCursorAnswer });
