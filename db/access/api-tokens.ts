import { createHash, randomBytes } from 'node:crypto';
import { and, eq, isNull, ne } from 'drizzle-orm';
import type { Pool } from 'pg';
import { v7 as uuidv7 } from 'uuid';
import type { Database, Queryable } from '../database.ts';
import { apiTokens } from '../schema/tenants.ts';
import { type Author, recordAudit } from './audit.ts';

export type TokenRow = typeof apiTokens.$inferSelect;
export type FoundToken = Pick<TokenRow, 'id' | 'tenantId' | 'role' | 'vmId' | 'name' | 'expiresAt' | 'revokedAt'>;

/** A token as it is shown once; only its hash is stored. */
export function makeToken(): string {
  return `defib_${randomBytes(32).toString('base64url')}`;
}

/** Tokens are long and random: a fast hash without salt is enough, and lets them be looked up. */
export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

/** The token as stored, revoked and expired ones too; null when unknown. */
export async function findToken(pool: Pool, token: string): Promise<FoundToken | null> {
  const { rows } = await pool.query<FoundToken>({
    name: 'find-token',
    text: `SELECT id, tenant_id AS "tenantId", role, vm_id AS "vmId", name, expires_at AS "expiresAt",
      revoked_at AS "revokedAt" FROM api_tokens WHERE token_hash = $1`,
    values: [hashToken(token)],
  });
  return rows[0] ?? null;
}

export interface NewToken {
  tenantId: string;
  role: TokenRow['role'];
  vmId: string | null;
  name: string;
  expiresAtMs: number | null;
}

/** Stores a new token and answers it with its secret, which can't be read again. */
export async function recordToken(
  tx: Queryable,
  token: NewToken,
  author: Author,
): Promise<{ row: TokenRow; secret: string }> {
  const secret = makeToken();
  const row: TokenRow = {
    id: uuidv7(),
    tenantId: token.tenantId,
    role: token.role,
    vmId: token.vmId,
    name: token.name,
    tokenHash: hashToken(secret),
    expiresAt: token.expiresAtMs === null ? null : new Date(token.expiresAtMs),
    revokedAt: null,
    createdAt: new Date(author.nowMs),
  };
  await tx.insert(apiTokens).values(row);
  const details = { tokenId: row.id, name: row.name, role: row.role };
  await recordAudit(tx, { ...author, tenantId: token.tenantId }, 'token_created', details, token.vmId);
  return { row, secret };
}

/** A page of a tenant's tokens, oldest first. Operators' tokens are only shown to operators. */
export async function findTokens(
  pool: Pool,
  { tenantId, withOperators, afterId, limit }: TokenPage,
): Promise<Omit<TokenRow, 'tokenHash'>[]> {
  const { rows } = await pool.query<Omit<TokenRow, 'tokenHash'>>(
    `SELECT id, tenant_id AS "tenantId", role, vm_id AS "vmId", name, expires_at AS "expiresAt",
      revoked_at AS "revokedAt", created_at AS "createdAt" FROM api_tokens
     WHERE tenant_id = $1 AND ($2 OR role <> 'OPERATOR') AND ($3::uuid IS NULL OR id > $3) ORDER BY id LIMIT $4`,
    [tenantId, withOperators, afterId, limit],
  );
  return rows;
}

export interface TokenPage {
  tenantId: string;
  withOperators: boolean;
  afterId: string | null;
  limit: number;
}

/** Revokes a token: an operator any, others one of their tenant that isn't an operator's. False when there is none. */
export async function recordTokenRevoked(
  database: Database,
  id: string,
  { operator }: { operator: boolean },
  author: Author,
): Promise<boolean> {
  return database.orm.transaction(async (tx) => {
    const [revoked] = await tx
      .update(apiTokens)
      .set({ revokedAt: new Date(author.nowMs) })
      .where(
        and(
          eq(apiTokens.id, id),
          isNull(apiTokens.revokedAt),
          operator ? undefined : and(eq(apiTokens.tenantId, author.tenantId), ne(apiTokens.role, 'OPERATOR')),
        ),
      )
      .returning({ name: apiTokens.name, vmId: apiTokens.vmId, tenantId: apiTokens.tenantId });
    if (!revoked) return false;
    const { name, vmId, tenantId } = revoked;
    await recordAudit(tx, { ...author, tenantId }, 'token_revoked', { tokenId: id, name }, vmId);
    return true;
  });
}
