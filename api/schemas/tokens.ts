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

/** As the OpenAPI document shows it. */
export const tokenExample: z.input<typeof tokenAnswer> = {
  id: '01a20f33-0000-7000-8000-000000000002',
  tenantId: 'default',
  role: 'USER',
  vmId: null,
  name: 'dashboard',
  expiresAt: '2099-12-31T23:59:59.000Z',
  revokedAt: null,
  createdAt: '2026-11-22T08:00:00.000Z',
};

export const tokenListQuery = z.strictObject({ tenantId: tenantIdField.optional(), ...pageQuery });
export const tokenListAnswer = z.object({ tokens: z.array(tokenAnswer), nextCursor: nextCursorAnswer });

// named, because the OpenAPI generator calls both `ip`, which JSON Schema does not know
const ipv4 = z.ipv4().meta({ format: 'ipv4' });
const ipv6 = z.ipv6().meta({ format: 'ipv6' });
const checkTargets = z
  .array(z.union([ipv4, ipv6, z.cidrv4(), z.cidrv6()], 'must be an address or a CIDR'))
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
/** As the OpenAPI document shows it. */
export const tenantExample: z.input<typeof tenantAnswer> = {
  id: 'acme',
  name: 'Acme',
  checkTargets: ['192.0.2.0/24'],
  createdAt: '2026-11-22T08:00:00.000Z',
};

export const tenantListQuery = z.strictObject(pageQuery);
export const tenantListAnswer = z.object({ tenants: z.array(tenantAnswer), nextCursor: nextCursorAnswer });
