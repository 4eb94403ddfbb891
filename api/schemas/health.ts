import { z } from 'zod';
import { CHECK_TYPES } from '../../checks/registry.ts';
import { checkFields, checkTypeField } from './checks.ts';
import { atAnswer, nextCursorAnswer, pageQuery, shownStatus, text } from './fields.ts';
import { statusExample, statusRow } from './vms.ts';

export const checkConfigInput = z.strictObject({ checkType: checkTypeField, ...checkFields });
export const checkNameQuery = z.strictObject({ name: text(100).optional() });

export const historyQuery = z.strictObject({
  hours: z.coerce
    .number('must be a whole number of hours from 1 to 8760')
    .int('must be a whole number of hours from 1 to 8760')
    .min(1, 'must be a whole number of hours from 1 to 8760')
    .max(8_760, 'must be a whole number of hours from 1 to 8760')
    .default(24),
  checkType: checkTypeField.optional(),
  ...pageQuery,
});

export const resultAnswer = z.object({
  checkId: z.string(),
  checkType: z.enum(CHECK_TYPES),
  status: z.enum(['healthy', 'unhealthy', 'unknown']),
  reason: z.string(),
  latencyMs: z.number().nullable(),
  errorMessage: z.string().nullable(),
  rawResponse: z.record(z.string(), z.unknown()).nullable(),
  checkedAt: z.iso.datetime(),
});

const resultExample: z.input<typeof resultAnswer> = {
  checkId: '01a20f33-0000-7000-8000-000000000104',
  checkType: 'http',
  status: 'healthy',
  reason: 'ok',
  latencyMs: 6,
  errorMessage: null,
  rawResponse: { status: 200 },
  checkedAt: '2026-11-22T08:00:00.000Z',
};

export const healthAnswer = z.object({
  podId: z.string(),
  status: shownStatus,
  ...statusRow,
  autoHealAttempts: z.int().describe("within the policy's window, since the last reset"),
  lastAutoHealAt: atAnswer.describe('when the last attempt was decided, also before that window'),
  pod: z.object({ name: z.string(), ipAddress: z.string().nullable(), status: shownStatus }),
  recentResults: z.array(resultAnswer).describe('the 10 newest, newest first'),
});

export const healthExample: z.input<typeof healthAnswer> = {
  podId: '01a20f33-0000-7000-8000-000000000003',
  status: 'healthy',
  ...statusExample,
  autoHealAttempts: 0,
  lastAutoHealAt: null,
  pod: { name: 'web-1', ipAddress: '192.0.2.7', status: 'healthy' },
  recentResults: [resultExample],
};

export const historyAnswer = z.object({
  podId: z.string(),
  period: z.string(),
  uptimePercentage: z.string().nullable().describe('unknown results are excluded'),
  avgLatencyMs: z.string().nullable(),
  totalChecks: z.int(),
  healthyChecks: z.int(),
  unhealthyChecks: z.int(),
  unknownChecks: z.int(),
  results: z.array(resultAnswer).describe('newest first'),
  nextCursor: nextCursorAnswer,
});

export const historyExample: z.input<typeof historyAnswer> = {
  podId: '01a20f33-0000-7000-8000-000000000003',
  period: '24h',
  uptimePercentage: '99.93',
  avgLatencyMs: '6',
  totalChecks: 2880,
  healthyChecks: 2876,
  unhealthyChecks: 2,
  unknownChecks: 2,
  results: [resultExample],
  nextCursor: null,
};

export const podAnswer = z.object({
  podId: z.string(),
  name: z.string(),
  status: shownStatus,
  consecutiveFailures: z.int(),
  lastCheckAt: atAnswer,
  lastHealthyAt: atAnswer,
});

export const overviewQuery = z.strictObject(pageQuery);
export const overviewAnswer = z.object({
  summary: z.object({
    total: z.int(),
    healthy: z.int(),
    unhealthy: z.int(),
    degraded: z.int(),
    unknown: z.int(),
    paused: z.int(),
  }),
  pods: z.array(podAnswer),
  nextCursor: nextCursorAnswer,
});
export const overviewExample: z.input<typeof overviewAnswer> = {
  summary: { total: 1, healthy: 1, unhealthy: 0, degraded: 0, unknown: 0, paused: 0 },
  pods: [
    {
      podId: '01a20f33-0000-7000-8000-000000000003',
      name: 'web-1',
      status: 'healthy',
      consecutiveFailures: 0,
      lastCheckAt: '2026-11-22T08:00:00.000Z',
      lastHealthyAt: '2026-11-22T08:00:00.000Z',
    },
  ],
  nextCursor: null,
};
