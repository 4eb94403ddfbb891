import { eq } from 'drizzle-orm';
import type { Pool } from 'pg';
import type { Database } from '../database.ts';
import { tenants } from '../schema/tenants.ts';
import { type Author, recordAudit } from './audit.ts';

export type TenantRow = typeof tenants.$inferSelect;

/** Null when the id is taken. */
export async function recordTenant(
  database: Database,
  tenant: { id: string; name: string; checkTargets?: string[] | undefined },
  author: Author,
): Promise<TenantRow | null> {
  return database.orm.transaction(async (tx) => {
    const [row] = await tx
      .insert(tenants)
      .values({ ...tenant, createdAt: new Date(author.nowMs) })
      .onConflictDoNothing()
      .returning();
    if (!row) return null;
    await recordAudit(tx, author, 'tenant_created', { tenantId: row.id, name: row.name });
    return row;
  });
}

/** A page of all tenants, by id. */
export async function findTenants(pool: Pool, afterId: string | null, limit: number): Promise<TenantRow[]> {
  const { rows } = await pool.query<TenantRow>(
    `SELECT id, name, created_at AS "createdAt", check_targets AS "checkTargets" FROM tenants WHERE $1::text IS NULL OR id > $1 ORDER BY id LIMIT $2`,
    [afterId, limit],
  );
  return rows;
}

/** Whether there is a tenant of that id. */
export async function tenantExists(pool: Pool, id: string): Promise<boolean> {
  const { rowCount } = await pool.query('SELECT 1 FROM tenants WHERE id = $1', [id]);
  return rowCount === 1;
}

/** CIDRs and addresses that an operator lets a tenant's checks reach; empty = its VMs' own addresses. */
export async function findCheckTargets(pool: Pool, tenantId: string): Promise<string[]> {
  const { rows } = await pool.query<{ targets: string[] }>(
    'SELECT check_targets AS targets FROM tenants WHERE id = $1',
    [tenantId],
  );
  return rows[0]?.targets ?? [];
}

/** Null when there is no such tenant. */
export async function recordTenantChanged(
  database: Database,
  id: string,
  change: { name?: string | undefined; checkTargets?: string[] | undefined },
  author: Author,
): Promise<TenantRow | null> {
  return database.orm.transaction(async (tx) => {
    const { name, checkTargets } = change;
    const set = { ...(name === undefined ? {} : { name }), ...(checkTargets === undefined ? {} : { checkTargets }) };
    const here = eq(tenants.id, id);
    const [row] =
      Object.keys(set).length === 0
        ? await tx.select().from(tenants).where(here)
        : await tx.update(tenants).set(set).where(here).returning();
    if (!row) return null;
    await recordAudit(tx, author, 'tenant_updated', { tenantId: id, ...set });
    return row;
  });
}
