import { z } from 'zod';
import { anyObject, atAnswer, instantField, nextCursorAnswer, openQuery, pageQuery, text } from './fields.ts';

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

/** As the OpenAPI document shows it. */
export const healEventExample: z.input<typeof healEventAnswer> = {
  id: '1',
  podId: '01a20f33-0000-7000-8000-000000000003',
  incident: 1,
  operationId: '01a20f33-0000-7000-8000-000000000003/1/restart/1',
  action: 'restart',
  reason: '3 consecutive failures',
  result: 'success',
  errorMessage: null,
  previousStatus: 'unhealthy',
  newStatus: 'healthy',
  policyId: '01a20f33-0000-7000-8000-000000000001',
  triggeredAt: '2026-11-22T08:00:00.000Z',
  completedAt: '2026-11-22T08:00:10.000Z',
};

export const incidentListQuery = z.strictObject({ ...pageQuery, limit: pageQuery.limit.default(20) });

export const incidentsQuery = z.strictObject({
  open: openQuery.describe('only those that are open, or that are closed'),
  since: instantField.describe('only those that were opened since then').optional(),
  q: text(200).describe("part of the VM's name, address or externalId").optional(),
  ...pageQuery,
  limit: pageQuery.limit.default(100),
});

const at = z.iso.datetime();

/** What is told of an incident first. */
const told = {
  sentence: z.string().describe('what is done about it and why no more is; of a closed one, how it ended'),
  state: z.enum(['deciding', 'holding', 'acting', 'verifying', 'closed']),
  decidingGuard: z.string().nullable().describe('the guard whose objection counts now'),
  wouldChange: z.string().nullable().describe('what would change its mind'),
  nextAt: atAnswer.describe('when it is decided again at the latest'),
  incident: z.int(),
  vmId: z.uuid(),
  vmName: z.string(),
  vmDeletedAt: atAnswer.describe('null = the VM is there'),
  openedAt: at,
  closedAt: atAnswer,
  outcome: z.string().nullable(),
};

export const incidentSummaryAnswer = z.object(told);

export const incidentAnswer = z.object({
  ...told,
  steps: z.array(
    z.object({
      step: z.int(),
      kind: z.enum(['act', 'hold', 'close']),
      reason: z.string(),
      decision: anyObject.describe('for a hold: why, in a sentence, and after how long it is decided again'),
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
      attempt: z.int(),
      power: z.string().nullable(),
      escalation: z.boolean(),
      state: z.enum(['intended', 'sent', 'abandoned', 'done']),
      result: z.enum(['pending', 'success', 'failed', 'skipped']),
      detail: z.string().nullable(),
      intendedAt: at,
      sentAt: atAnswer,
      endedAt: atAnswer,
    }),
  ),
});

export const incidentListAnswer = z.object({ incidents: z.array(incidentAnswer), nextCursor: nextCursorAnswer });
export const incidentSummaryListAnswer = z.object({
  incidents: z.array(incidentSummaryAnswer),
  nextCursor: nextCursorAnswer,
});

/** As the OpenAPI document shows it. */
export const incidentSummaryExample: z.input<typeof incidentSummaryAnswer> = {
  sentence:
    'Incident 1 holds (cooldown): the last attempt was too recent; the policy waits 10 min between attempts. Would change it: ' +
    'time: the next attempt may be made at 2026-11-22T08:10:00.000Z. Decided again by 2026-11-22T08:10:00.000Z.',
  state: 'holding',
  decidingGuard: 'cooldown',
  wouldChange: 'time: the next attempt may be made at 2026-11-22T08:10:00.000Z',
  nextAt: '2026-11-22T08:10:00.000Z',
  incident: 1,
  vmId: '01a20f33-0000-7000-8000-000000000003',
  vmName: 'web-1',
  vmDeletedAt: null,
  openedAt: '2026-11-22T08:00:00.000Z',
  closedAt: null,
  outcome: null,
};

/** As the OpenAPI document shows it. */
export const incidentExample: z.input<typeof incidentAnswer> = {
  ...incidentSummaryExample,
  steps: [
    {
      step: 1,
      kind: 'act',
      reason: '3 consecutive failures',
      decision: { kind: 'act', reason: '3 consecutive failures', verifyMs: 120_000 },
      guards: [{ guard: 'cooldown', objection: null }],
      facts: { health: 'unhealthy' },
      decidedAt: '2026-11-22T08:00:00.000Z',
      lastSeenAt: '2026-11-22T08:00:00.000Z',
      count: 1,
    },
  ],
  operations: [
    {
      id: '01a20f33-0000-7000-8000-000000000003/1/restart/1',
      action: 'restart',
      attempt: 1,
      power: 'reset',
      escalation: false,
      state: 'done',
      result: 'failed',
      detail: null,
      intendedAt: '2026-11-22T08:00:00.000Z',
      sentAt: '2026-11-22T08:00:00.100Z',
      endedAt: '2026-11-22T08:00:00.300Z',
    },
  ],
};
