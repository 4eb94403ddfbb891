import { and, eq, ne } from 'drizzle-orm';
import type { Database } from '../database.ts';
import { apiTokens } from '../schema/tenants.ts';
import { hashToken } from './api-tokens.ts';

/** The one token that is set from outside; every start finds it under this id, and audit logs of all tenants name it. */
export const ADMIN_TOKEN_ID = '00000000-0000-4000-8000-000000000001';

/**
 * Makes `token` the installation's own: role OPERATOR, tenant `default`, never expiring. A token set by an earlier start
 * is replaced, so changing the preset ends the old one.
 */
export async function ensureAdminToken(database: Database, token: string, now: Date): Promise<void> {
  const tokenHash = hashToken(token);
  const row = {
    id: ADMIN_TOKEN_ID,
    tenantId: 'default',
    role: 'OPERATOR' as const,
    vmId: null,
    name: 'administrator',
    tokenHash,
    expiresAt: null,
    revokedAt: null,
    createdAt: now,
  };
  await database.orm.transaction(async (tx) => {
    await tx.delete(apiTokens).where(and(eq(apiTokens.tokenHash, tokenHash), ne(apiTokens.id, ADMIN_TOKEN_ID)));
    await tx
      .insert(apiTokens)
      .values(row)
      .onConflictDoUpdate({ target: apiTokens.id, set: { tokenHash, expiresAt: null, revokedAt: null } });
  });
}
