import type { apiTokens } from '../db/schema/tenants.ts';

export type Role = (typeof apiTokens.$inferSelect)['role'];

/** Whoever sent the request, as its token says. */
export interface Caller {
  tokenId: string;
  tenantId: string;
  role: Role;
  /** The one VM that an AGENT speaks for. */
  vmId: string | null;
  /** As the audit log names it. */
  actor: string;
}

/** People of a tenant. */
export const PEOPLE: readonly Role[] = ['USER', 'ADMIN', 'OPERATOR'];
export const ADMINS: readonly Role[] = ['ADMIN', 'OPERATOR'];
export const OPERATORS: readonly Role[] = ['OPERATOR'];
/** Those who may report for a VM. */
export const REPORTERS: readonly Role[] = ['AGENT', 'ADMIN', 'OPERATOR'];
