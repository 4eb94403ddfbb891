import { and, asc, eq, gt, isNull, ne, sql } from 'drizzle-orm';
import type { Pool } from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { type Author, recordAudit } from '../access/audit.ts';
import type { Database, Transaction } from '../database.ts';
import { notify } from '../notify.ts';
import { policies } from '../schema/heals.ts';
import { tenants } from '../schema/tenants.ts';

export type PolicyRow = typeof policies.$inferSelect;
export type PolicySettings = Omit<PolicyRow, 'id' | 'tenantId' | 'createdAt' | 'updatedAt'>;

/** A page of a tenant's policies, oldest first. */
export async function findPolicyPage(
  database: Database,
  tenantId: string,
  afterId: string | null,
  limit: number,
): Promise<PolicyRow[]> {
  return database.orm
    .select()
    .from(policies)
    .where(and(eq(policies.tenantId, tenantId), afterId === null ? undefined : gt(policies.id, afterId)))
    .orderBy(asc(policies.id))
    .limit(limit);
}

/** One policy of a tenant; null when it has none of that id. */
export async function findPolicy(database: Database, tenantId: string, id: string): Promise<PolicyRow | null> {
  const [row] = await database.orm
    .select()
    .from(policies)
    .where(and(eq(policies.id, id), eq(policies.tenantId, tenantId)));
  return row ?? null;
}

/** The id of another policy of this name and scope (one VM, one tag, or the tenant); null when there is none. */
export async function findNamesake(
  { orm }: Database,
  tenantId: string,
  { id, name, vmId, tag }: { id: string | null } & Pick<PolicySettings, 'name' | 'vmId' | 'tag'>,
): Promise<string | null> {
  const [other] = await orm
    .select({ id: policies.id })
    .from(policies)
    .where(
      and(
        eq(policies.tenantId, tenantId),
        eq(policies.name, name),
        vmId === null ? isNull(policies.vmId) : eq(policies.vmId, vmId),
        tag === null ? isNull(policies.tag) : eq(policies.tag, tag),
        id === null ? undefined : ne(policies.id, id),
      ),
    );
  return other?.id ?? null;
}

/** Stores a new policy of the author's tenant; throws a unique violation when another one has its name and scope. */
export async function recordPolicy(database: Database, settings: PolicySettings, author: Author): Promise<PolicyRow> {
  return database.orm.transaction(async (tx) => {
    const { tenantId, nowMs } = author;
    const now = new Date(nowMs);
    const row: PolicyRow = { ...settings, id: uuidv7(), tenantId, createdAt: now, updatedAt: now };
    await tx.insert(policies).values(row);
    await recordAudit(tx, author, 'policy_created', { policyId: row.id, ...settings }, row.vmId);
    await recordPoliciesChanged(tx, tenantId);
    return row;
  });
}

/** Changes only the given fields; null when the policy is gone. Throws a unique violation as `recordPolicy` does. */
export async function recordPolicyChanged(
  database: Database,
  id: string,
  change: Partial<PolicySettings>,
  author: Author,
): Promise<PolicyRow | null> {
  return database.orm.transaction(async (tx) => {
    const [row] = await tx
      .update(policies)
      .set({ ...change, updatedAt: new Date(author.nowMs) })
      .where(and(eq(policies.id, id), eq(policies.tenantId, author.tenantId)))
      .returning();
    if (!row) return null;
    await recordAudit(tx, author, 'policy_updated', { policyId: id, ...change }, row.vmId);
    await recordPoliciesChanged(tx, author.tenantId);
    return row;
  });
}

/** False when there is none. Open heals decide again, by the remaining policies. */
export async function recordPolicyDeleted(database: Database, id: string, author: Author): Promise<boolean> {
  return database.orm.transaction(async (tx) => {
    const [row] = await tx
      .delete(policies)
      .where(and(eq(policies.id, id), eq(policies.tenantId, author.tenantId)))
      .returning();
    if (!row) return false;
    await recordAudit(tx, author, 'policy_deleted', { policyId: id, name: row.name }, row.vmId);
    await recordPoliciesChanged(tx, author.tenantId);
    return true;
  });
}

/** Every change of a policy ends with this: operations that were decided by the earlier policies are not sent any more. */
async function recordPoliciesChanged(tx: Transaction, tenantId: string): Promise<void> {
  await tx
    .update(tenants)
    .set({ policyRevision: sql`${tenants.policyRevision} + 1` })
    .where(eq(tenants.id, tenantId));
  await notify(tx, { kind: 'policies', tenantId });
}

/** Of the enabled checks that a policy covers, the one that takes longest to answer once: interval plus timeout. */
export async function findSlowestCheck(
  pool: Pool,
  tenantId: string,
  scope: { vmId: string | null; tag: string | null },
): Promise<{ vmName: string; checkType: string; seconds: number } | null> {
  const { rows } = await pool.query<{ vmName: string; checkType: string; seconds: number }>(
    `SELECT v.name AS "vmName", c.check_type AS "checkType",
       c.interval_seconds + coalesce(c.timeout_seconds, least(10, c.interval_seconds)) AS seconds
     FROM check_configs c JOIN vms v ON v.id = c.vm_id
     WHERE v.tenant_id = $1 AND v.deleted_at IS NULL AND c.enabled AND ($2::uuid IS NULL OR v.id = $2)
       AND ($3::text IS NULL OR $3 = ANY(v.tags))
     ORDER BY seconds DESC LIMIT 1`,
    [tenantId, scope.vmId, scope.tag],
  );
  return rows[0] ?? null;
}
