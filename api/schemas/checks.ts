import { z } from 'zod';
import { CHECK_TYPES, OPTIONS_IN_WORDS, TARGETS_IN_WORDS } from '../../checks/registry.ts';
import { atAnswer, text, wholeNumber } from './fields.ts';

/** One of the types in checks/registry.ts. */
export const checkTypeField = z.enum(CHECK_TYPES, {
  error: ({ input }) => (input === undefined ? 'is needed' : `Unknown check type: ${shown(input)}`),
});

/** Plain values only: no check has an option of another type. */
const optionValue = z.union([z.boolean(), z.number(), z.string()], 'must be true, false, a number or text');

/** What a user may set of a check besides its type; what is absent stays, or takes its default. */
export const checkFields = {
  name: text(100).or(z.literal('')).describe('only for further checks of a type').optional(),
  target: z
    .union([text(2_048), z.number()], 'must be text or a port number')
    .transform(String)
    .nullable()
    .describe(TARGETS_IN_WORDS)
    .optional(),
  intervalSeconds: wholeNumber(1, 86_400, 'seconds').optional(),
  retryIntervalSeconds: wholeNumber(1, 86_400, 'seconds')
    .nullable()
    .describe('the pace while it is not healthy; null = the interval')
    .optional(),
  timeoutSeconds: wholeNumber(1, 86_400, 'seconds').nullable().describe('null = 10, or the interval').optional(),
  failureThreshold: wholeNumber(1, 1_000).optional(),
  successThreshold: wholeNumber(1, 1_000).optional(),
  staleAfterSeconds: wholeNumber(1, 604_800, 'seconds').nullable().describe('agent only').optional(),
  options: z.record(z.string(), optionValue, 'must be an object').describe(OPTIONS_IN_WORDS).optional(),
  enabled: z.boolean('must be true or false').optional(),
  trusted: z
    .boolean('must be true or false')
    .describe('ADMIN only: its failures are evidence although it has never succeeded; until its aim changes')
    .optional(),
};

/** A check as a request sets it. */
export const checkInput = z.strictObject({ checkType: checkTypeField, ...checkFields });
export type CheckInput = z.output<typeof checkInput>;

/** A check as the API answers it. */
export const checkAnswer = z.object({
  id: z.uuid(),
  checkType: z.enum(CHECK_TYPES),
  name: z.string(),
  target: z.string().nullable(),
  intervalSeconds: z.int(),
  retryIntervalSeconds: z.int().describe('the pace while it is not healthy: the one that counts, set or not'),
  timeoutSeconds: z.int().describe('the one that counts, set or not'),
  failureThreshold: z.int(),
  successThreshold: z.int(),
  staleAfterSeconds: z.int().nullable(),
  options: z.record(z.string(), z.unknown()),
  enabled: z.boolean(),
  proven: z.boolean().describe('whether it has succeeded with its type, target, address and options'),
  provenAt: atAnswer,
  trusted: z.boolean(),
  revision: z.int().describe('to be named in If-Match by whoever changes only what he has read'),
  status: z.enum(['unknown', 'healthy', 'degraded', 'unhealthy']),
  reason: z.string(),
  message: z.string().nullable(),
  consecutiveFailures: z.int(),
  consecutiveSuccesses: z.int(),
  lastCheckAt: atAnswer,
});

/** As the OpenAPI document shows it. */
export const checkExample: z.input<typeof checkAnswer> = {
  id: '01a20f33-0000-7000-8000-000000000104',
  checkType: 'http',
  name: '',
  target: 'http://192.0.2.7:8080/health',
  intervalSeconds: 30,
  retryIntervalSeconds: 30,
  timeoutSeconds: 10,
  failureThreshold: 3,
  successThreshold: 1,
  staleAfterSeconds: null,
  options: {},
  enabled: true,
  proven: true,
  provenAt: '2026-11-22T07:55:00.000Z',
  trusted: false,
  revision: 1,
  status: 'healthy',
  reason: 'ok',
  message: null,
  consecutiveFailures: 0,
  consecutiveSuccesses: 11,
  lastCheckAt: '2026-11-22T08:00:00.000Z',
};

function shown(input: unknown): string {
  return typeof input === 'string' ? input.slice(0, 100) : typeof input;
}
