import type { JsonObject } from '../../domain/json-value.ts';
import { cleanJson } from '../clean-text.ts';
import type { Queryable } from '../database.ts';
import { auditLog } from '../schema/system.ts';

/** Who changes something, and when; every change carries one and writes its audit row in its own transaction. */
export interface Author {
  tenantId: string;
  actor: string;
  nowMs: number;
}

export type AuditAction =
  | 'health_check_configured'
  | 'health_check_disabled'
  | 'auto_heal_reset'
  | 'vm_created'
  | 'vm_registration_withdrawn'
  | 'vm_updated'
  | 'vm_deleted'
  | 'vm_paused'
  | 'vm_resumed'
  | 'policy_created'
  | 'policy_updated'
  | 'policy_deleted'
  | 'token_created'
  | 'token_revoked'
  | 'tenant_created'
  | 'tenant_updated'
  | 'provider_created'
  | 'provider_updated'
  | 'provider_removed';

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
