import { z } from 'zod';
import type { ShownStatus } from '../../domain/health.ts';
import { providerAnswer, providerInput, providerKind } from '../vm-provider.ts';
import { checkAnswer, checkExample, checkInput } from './checks.ts';
import {
  addressField,
  atAnswer,
  nameField,
  nextCursorAnswer,
  pageQuery,
  shownStatus,
  siteField,
  tagField,
  text,
  wholeNumber,
} from './fields.ts';

const vmFields = {
  name: nameField,
  address: addressField.nullable().optional(),
  externalId: text(200).nullable().optional(),
  tags: z
    .array(tagField)
    .max(50, 'must be at most 50')
    .transform((tags) => [...new Set(tags)])
    .optional(),
  site: siteField.optional(),
  host: text(253).nullable().optional(),
  reportIntervalSeconds: wholeNumber(1, 86_400, 'seconds').optional(),
  provider: providerInput,
  keepRunning: z
    .boolean()
    .describe('true: when a heal finds it off at its hypervisor, and nobody stopped it on purpose, it is started')
    .optional(),
};

/** The most checks of one VM; with more, a look would take too long. */
export const MAX_CHECKS = 50;

export const newVmInput = z.strictObject({
  ...vmFields,
  checks: z
    .array(checkInput)
    .max(MAX_CHECKS, `must be at most ${MAX_CHECKS}`)
    .describe('without: a ping, when there is an address')
    .optional(),
});

export const vmChangeInput = z.strictObject({
  ...vmFields,
  name: nameField.optional(),
  provider: providerInput.optional(),
  stoppedOnPurpose: z
    .boolean()
    .describe('true: it is meant to be off, and is neither looked at nor healed; false: it is meant to run')
    .optional(),
});

const INNER: Record<string, ShownStatus> = {
  HEALTHY: 'healthy',
  WARNING: 'degraded',
  DOWN: 'unhealthy',
  CRITICAL: 'unhealthy',
  DEGRADED: 'degraded',
  UNHEALTHY: 'unhealthy',
  UNKNOWN: 'unknown',
  PAUSED: 'paused',
};

export const vmListQuery = z.strictObject({
  status: z
    .string()
    .transform((word) => INNER[word.toUpperCase()])
    .refine((status) => status !== undefined, 'must be HEALTHY, WARNING, DOWN, UNKNOWN or PAUSED')
    .optional(),
  q: text(200).describe('part of the name, address or externalId').optional(),
  tag: tagField.optional(),
  provider: providerKind.optional(),
  ...pageQuery,
});

export const reasonAnswer = z.object({
  reason: z.string(),
  message: z.string().nullable(),
  status: z.string().optional(),
  checkId: z.string().optional(),
  checkType: z.string().optional(),
  about: z.enum(['alive', 'load']).optional(),
});

/** What is stored of a VM's health, beside its status. */
export const statusRow = {
  reasons: z.array(reasonAnswer),
  consecutiveFailures: z.int(),
  consecutiveSuccesses: z.int(),
  lastCheckAt: atAnswer,
  lastHealthyAt: atAnswer,
  lastUnhealthyAt: atAnswer,
};

const pausedAnswer = z.object({ since: z.string(), reason: z.string(), by: z.string() });

/** What is wrong with a VM, what is done about it, and why no more is. */
export const situationAnswer = z.object({
  sentence: z.string().describe('what is wrong, what Defib does about it, why it does no more, and who said so'),
  paused: pausedAnswer.nullable(),
  incident: z
    .object({
      number: z.int(),
      openedAt: z.iso.datetime(),
      state: z.enum(['deciding', 'holding', 'acting', 'verifying']),
      reason: z.string().nullable().describe('why it holds, or why it acts'),
      nextAt: atAnswer.describe('when it is decided again at the latest'),
      lastAction: z
        .object({
          action: z.string(),
          attempt: z.int(),
          at: z.iso.datetime(),
          result: z.enum(['pending', 'success', 'failed', 'skipped']),
        })
        .nullable(),
    })
    .nullable(),
  stoppedOnPurpose: z.boolean(),
  notWatched: z.string().nullable().describe('why nobody looks at it'),
  cannotTell: z.string().nullable().describe('why looks can not tell how it is'),
});

export const vmAnswer = z.object({
  id: z.uuid(),
  name: z.string(),
  address: z.string().nullable(),
  externalId: z.string().nullable(),
  tags: z.array(z.string()),
  site: z.string(),
  host: z.string().nullable(),
  reportIntervalSeconds: z.int(),
  provider: providerAnswer,
  status: z.enum(['HEALTHY', 'WARNING', 'DOWN', 'UNKNOWN', 'PAUSED']),
  health: shownStatus,
  ...statusRow,
  situation: situationAnswer,
  lastLookAt: atAnswer,
  stoppedOnPurpose: z.boolean(),
  paused: pausedAnswer.nullable(),
  keepRunning: z.boolean(),
  agent: z
    .object({
      lastReportAt: z.string(),
      agentVersion: z.string().nullable(),
      cpu: z.number().nullable(),
      ram: z.number().nullable(),
      disk: z.number().nullable(),
      uptime: z.number().nullable(),
    })
    .nullable(),
  checks: z.array(checkAnswer),
  revision: z.int().describe('of its own settings, without its checks; also in ETag, to be named in If-Match'),
  announced: z.boolean().describe("whether the last change was delivered to the VM's workflow"),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
});
export type VmAnswer = z.input<typeof vmAnswer>;

/** A VM that was just registered or changed. */
export const changedVmAnswer = vmAnswer.extend({
  warnings: z
    .array(z.string())
    .describe('what is accepted, and perhaps not meant: such as a socket where nothing listens'),
});
export const newVmAnswer = changedVmAnswer.extend({ agentToken: z.string().describe('shown this once') });
export const vmListAnswer = z.object({ vms: z.array(vmAnswer), nextCursor: nextCursorAnswer });

/** As the OpenAPI document shows it. */
export const statusExample = {
  reasons: [],
  consecutiveFailures: 0,
  consecutiveSuccesses: 11,
  lastCheckAt: '2026-11-22T08:00:00.000Z',
  lastHealthyAt: '2026-11-22T08:00:00.000Z',
  lastUnhealthyAt: null,
};

/** As the OpenAPI document shows it: the VM of the example of `registerVm`, a while later. */
export const vmExample: VmAnswer = {
  id: '01a20f33-0000-7000-8000-000000000003',
  name: 'web-1',
  address: '192.0.2.7',
  externalId: '104',
  tags: ['prod'],
  site: 'main',
  host: null,
  reportIntervalSeconds: 60,
  provider: { kind: 'none' },
  status: 'HEALTHY',
  health: 'healthy',
  ...statusExample,
  situation: {
    sentence: 'Healthy.',
    paused: null,
    incident: null,
    stoppedOnPurpose: false,
    notWatched: null,
    cannotTell: null,
  },
  lastLookAt: '2026-11-22T08:00:00.000Z',
  stoppedOnPurpose: false,
  paused: null,
  keepRunning: false,
  agent: null,
  checks: [checkExample],
  revision: 1,
  announced: true,
  createdAt: '2026-11-22T07:55:00.000Z',
  updatedAt: '2026-11-22T07:55:00.000Z',
};
