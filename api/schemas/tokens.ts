import { z } from 'zod';
import { atAnswer, instantField, nameField, nextCursorAnswer, pageQuery, text } from './fields.ts';

const role = z.enum(['USER', 'ADMIN', 'OPERATOR', 'AGENT'], 'must be USER, ADMIN, OPERATOR or AGENT');
/** A tenant's id is a word. */
export const tenantIdField = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be lower-case letters, digits and dashes');

/** A new token, as it is asked for; `clock` in epoch ms says what is in the future. */
export function tokenInput(clock: () => number) {
  return z.strictObject({
    name: nameField,
    role,
    vmId: text(200).describe('AGENT only: id or externalId of its VM').optional(),
    tenantId: tenantIdField.describe('OPERATOR only: another tenant').optional(),
    expiresAt: instantField
      .refine((atMs) => atMs > clock(), 'must be in the future')
      .nullable()
      .optional(),
  });
}

export const tokenAnswer = z.object({
  id: z.uuid(),
  tenantId: z.string(),
  role,
  vmId: z.uuid().nullable(),
  name: z.string(),
  expiresAt: atAnswer,
  revokedAt: atAnswer,
  createdAt: z.iso.datetime(),
});

export const tokenListQuery = z.strictObject({ tenantId: tenantIdField.optional(), ...pageQuery });
export const tokenListAnswer = z.object({ tokens: z.array(tokenAnswer), nextCursor: nextCursorAnswer });

const checkTargets = z
  .array(z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()], 'must be an address or a CIDR'))
  .max(100, 'must be at most 100')
  .describe("what the tenant's checks may reach; none = its VMs' own addresses");
export const tenantInput = z.strictObject({
  id: tenantIdField,
  name: nameField,
  checkTargets: checkTargets.optional(),
});
export const tenantChangeInput = z.strictObject({ name: nameField.optional(), checkTargets: checkTargets.optional() });
export const tenantAnswer = z.object({
  id: z.string(),
  name: z.string(),
  checkTargets: z.array(z.string()),
  createdAt: z.iso.datetime(),
});
export const tenantListQuery = z.strictObject(pageQuery);
export const tenantListAnswer = z.object({ tenants: z.array(tenantAnswer), nextCursor: nextCursorAnswer });
