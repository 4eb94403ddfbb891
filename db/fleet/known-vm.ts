import type { Pool } from 'pg';
import { isUuid } from '../../domain/ids.ts';

/** A VM that is, or that was deleted and whose history is kept. */
export interface KnownVm {
  id: string;
  name: string;
  deletedAt: Date | null;
}

/**
 * The VM that `reference`, an id or an externalId, names within the tenant, or named last: one that is there comes before one that
 * was deleted. Null when there never was one.
 */
export async function findKnownVm(pool: Pool, tenantId: string, reference: string): Promise<KnownVm | null> {
  // Postgres refuses NUL in any text
  if (reference.includes('\u0000')) return null;
  const { rows } = await pool.query<KnownVm>(
    `SELECT id, name, deleted_at AS "deletedAt" FROM vms WHERE tenant_id = $1 AND (id = $2::uuid OR external_id = $3)
     ORDER BY deleted_at IS NULL DESC, (id = $2::uuid) DESC NULLS LAST, deleted_at DESC LIMIT 1`,
    [tenantId, isUuid(reference) ? reference : null, reference],
  );
  return rows[0] ?? null;
}
