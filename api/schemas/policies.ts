import { z } from 'zod';
import { POLICY_ACTIONS, POLICY_DEFAULTS } from '../../domain/policy.ts';
import { nameField, nextCursorAnswer, pageQuery, tagField, text, wholeNumber } from './fields.ts';

const FAILS_FOR =
  'how long a check has to fail as well, from its first failed answer; null = (triggerAfterFailures - 1) times its interval';
const action = z.enum(POLICY_ACTIONS, `must be one of ${POLICY_ACTIONS.join(', ')}`);

export const policyInput = z.strictObject({
  id: z.uuid('must be the id of a policy').describe('changes that policy; without, a new one is made').optional(),
  name: nameField.describe('needed for a new one').optional(),
  enabled: z.boolean('must be true or false').optional(),
  triggerAfterFailures: wholeNumber(1, 1_000).optional(),
  action: action.optional(),
  cooldownMinutes: wholeNumber(0, 10_080, 'minutes').optional(),
  maxAttempts: wholeNumber(1, 1_000).optional(),
  attemptWindowHours: wholeNumber(1, 720, 'hours').optional(),
  notifyOnTrigger: z.boolean('must be true or false').optional(),
  escalateAfterAttempts: wholeNumber(1, 1_000).nullable().optional(),
  escalationAction: action.optional(),
  verifySeconds: wholeNumber(1, 86_400, 'seconds').optional(),
  unhealthyForSeconds: wholeNumber(0, 604_800, 'seconds').nullable().describe(FAILS_FOR).optional(),
  vmId: text(200).nullable().describe('id or externalId: for this VM only').optional(),
  tag: tagField.nullable().describe('for VMs with this tag only').optional(),
});

export const policyAnswer = z.object({
  id: z.uuid(),
  name: z.string(),
  enabled: z.boolean(),
  triggerAfterFailures: z.int(),
  action,
  cooldownMinutes: z.int(),
  maxAttempts: z.int(),
  attemptWindowHours: z.int(),
  notifyOnTrigger: z.boolean(),
  escalateAfterAttempts: z.int().nullable(),
  escalationAction: action,
  verifySeconds: z.int().describe('how long after a remedy looks may show that it helped'),
  unhealthyForSeconds: z.int().nullable().describe(FAILS_FOR),
  vmId: z.uuid().nullable(),
  tag: z.string().nullable(),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
});

/** A policy that was just made or changed. */
export const savedPolicyAnswer = policyAnswer.extend({
  covers: z.int().describe('how many VMs are in its scope'),
  countsFor: z
    .int()
    .describe('for how many of them it is the one that counts: for the others a more specific or older one does'),
  inWords: z.string().describe('what it will do'),
});

/** As the OpenAPI document shows it. */
export const policyExample: z.input<typeof policyAnswer> = {
  ...POLICY_DEFAULTS,
  id: '01a20f33-0000-7000-8000-000000000001',
  name: 'restart web servers',
  tag: 'prod',
  createdAt: '2026-11-22T08:00:00.000Z',
  updatedAt: '2026-11-22T08:00:00.000Z',
};

export const savedPolicyExample: z.input<typeof savedPolicyAnswer> = {
  ...policyExample,
  covers: 12,
  countsFor: 12,
  inWords:
    'When a check about being alive has failed 3 times in a row, over at least 2 of its intervals, it restarts the VM …',
};

export const policyListQuery = z.strictObject(pageQuery);
export const policyListAnswer = z.object({ policies: z.array(policyAnswer), nextCursor: nextCursorAnswer });
