import type { Pool } from 'pg';
import type { Database } from '../database.ts';
import { tenants } from '../schema/tenants.ts';
import { type Author, recordAudit } from './audit.ts';

export type TenantRow = typeof tenants.$inferSelect;

/** Null when the id is taken. */
export async function recordTenant(
  database: Database,
  tenant: { id: string; name: string },
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
    `SELECT id, name, created_at AS "createdAt" FROM tenants WHERE $1::text IS NULL OR id > $1 ORDER BY id LIMIT $2`,
    [afterId, limit],
  );
  return rows;
}

/** Whether there is a tenant of that id. */
export async function tenantExists(pool: Pool, id: string): Promise<boolean> {
  const { rowCount } = await pool.query('SELECT 1 FROM tenants WHERE id = $1', [id]);
  return rowCount === 1;
}
