import { and, desc, eq, gte, lt, notInArray } from 'drizzle-orm';
import type { JsonObject } from '../../domain/json-value.ts';
import { cleanJson } from '../clean-text.ts';
import type { Database, Queryable } from '../database.ts';
import { auditLog } from '../schema/system.ts';

/** Who changes something, and when; every change carries one and writes its audit row in its own transaction. */
export interface Author {
  tenantId: string;
  actor: string;
  nowMs: number;
}

export const AUDIT_ACTIONS = [
  'health_check_configured',
  'health_check_disabled',
  'auto_heal_reset',
  'vm_created',
  'vm_registration_withdrawn',
  'vm_updated',
  'vm_deleted',
  'vm_paused',
  'vm_resumed',
  'policy_created',
  'policy_updated',
  'policy_deleted',
  'token_created',
  'token_revoked',
  'tenant_created',
  'tenant_updated',
  'provider_created',
  'provider_updated',
  'provider_removed',
] as const;
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

/** Details hold ids and settings, never secrets. */
export async function recordAudit(
  tx: Queryable,
  { tenantId, actor, nowMs }: Author,
  action: AuditAction,
  details: JsonObject,
  vmId: string | null = null,
): Promise<void> {
  const clean = Object.fromEntries(Object.entries(details).map(([key, value]) => [key, cleanJson(value)]));
  await tx.insert(auditLog).values({ tenantId, at: new Date(nowMs), actor, action, vmId, details: clean });
}

export type AuditRow = typeof auditLog.$inferSelect;

const TENANT_ACTIONS: AuditAction[] = ['tenant_created', 'tenant_updated'];

export interface AuditFilter {
  /** Whether what was done to tenants is among it. */
  withTenants: boolean;
  vmId: string | null;
  actor: string | null;
  action: AuditAction | null;
  /** Only what was done since then, epoch ms. */
  sinceMs: number | null;
  /** The row that the page before ended with. */
  beforeId: number | null;
  limit: number;
}

/** A page of what was changed in a tenant, newest first. */
export async function findAudit(
  { orm }: Database,
  tenantId: string,
  { withTenants, vmId, actor, action, sinceMs, beforeId, limit }: AuditFilter,
): Promise<AuditRow[]> {
  return orm
    .select()
    .from(auditLog)
    .where(
      and(
        eq(auditLog.tenantId, tenantId),
        withTenants ? undefined : notInArray(auditLog.action, TENANT_ACTIONS),
        vmId === null ? undefined : eq(auditLog.vmId, vmId),
        actor === null ? undefined : eq(auditLog.actor, actor),
        action === null ? undefined : eq(auditLog.action, action),
        sinceMs === null ? undefined : gte(auditLog.at, new Date(sinceMs)),
        beforeId === null ? undefined : lt(auditLog.id, beforeId),
      ),
    )
    .orderBy(desc(auditLog.id))
    .limit(limit);
}
