import { z } from 'zod';
import { CHECK_TYPES } from '../../checks/registry.ts';
import { checkFields, checkTypeField } from './checks.ts';
import { atAnswer, nextCursorAnswer, pageQuery, shownStatus, text } from './fields.ts';
import { statusRow } from './vms.ts';

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

export const healthAnswer = z.object({
  podId: z.string(),
  status: shownStatus,
  ...statusRow,
  autoHealAttempts: z.int().describe("within the policy's window, since the last reset"),
  lastAutoHealAt: atAnswer.describe('when the last attempt was decided, also before that window'),
  pod: z.object({ name: z.string(), ipAddress: z.string().nullable(), status: shownStatus }),
  recentResults: z.array(resultAnswer).describe('the 10 newest, newest first'),
});

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
