import { z } from 'zod';
import { AUDIT_ACTIONS } from '../../db/access/audit.ts';
import { anyObject, instantField, nextCursorAnswer, pageQuery, text } from './fields.ts';

export const auditQuery = z.strictObject({
  vm: text(200).describe('id or externalId of a VM, also of one that was deleted').optional(),
  actor: text(200).optional(),
  action: z.enum(AUDIT_ACTIONS).optional(),
  since: instantField.describe('only what was done since then').optional(),
  ...pageQuery,
  limit: pageQuery.limit.default(100),
});

export const auditAnswer = z.object({
  id: z.string(),
  at: z.iso.datetime(),
  actor: z.string().describe('who did it'),
  action: z.enum(AUDIT_ACTIONS),
  vmId: z.uuid().nullable(),
  details: anyObject.describe('ids and settings, never secrets'),
});

export const auditListAnswer = z.object({ entries: z.array(auditAnswer), nextCursor: nextCursorAnswer });

/** As the OpenAPI document shows it. */
export const auditExample: z.input<typeof auditAnswer> = {
  id: '42',
  at: '2026-11-22T08:00:00.000Z',
  actor: 'dashboard (token 01a20f33-0000-7000-8000-000000000002)',
  action: 'vm_paused',
  vmId: '01a20f33-0000-7000-8000-000000000003',
  details: { reason: 'disk is being replaced' },
};
