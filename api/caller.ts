import type { Request } from 'express';
import { type FoundToken, findToken } from '../db/access/api-tokens.ts';
import type { Database } from '../db/database.ts';
import { AppError } from '../domain/app-error.ts';
import type { Role } from '../domain/roles.ts';

/** Whoever sent the request, as the token says. */
export interface Caller {
  tokenId: string;
  tenantId: string;
  role: Role;
  /** The one VM that an AGENT speaks for. */
  vmId: string | null;
  /** As the audit log names it. */
  actor: string;
}

/** Older agents send their token in this header. */
const AGENT_HEADER = 'x-agent-token';

/** Whose token this is. @throws AppError `unauthorized`, saying whether the token is missing, unknown, revoked or expired. */
export async function authenticate(database: Database, token: string | null, nowMs: number): Promise<Caller> {
  if (token === null) {
    throw new AppError('unauthorized', 'A token is needed: send it as "Authorization: Bearer <token>".');
  }
  const found = await findToken(database.pool, token);
  if (found === null) throw new AppError('unauthorized', 'The token is not known here.');
  requireCurrent(found, nowMs);
  const { id, tenantId, role, vmId, name } = found;
  return { tokenId: id, tenantId, role, vmId, actor: `${name} (token ${id})` };
}

/** @throws AppError `forbidden` unless the caller has one of the roles. */
export function requireRole(caller: Caller, roles: readonly Role[]): void {
  if (roles.includes(caller.role)) return;
  throw new AppError('forbidden', `This needs a token of role ${roles.join(' or ')}; yours is ${caller.role}.`);
}

function requireCurrent({ revokedAt, expiresAt }: FoundToken, nowMs: number): void {
  if (revokedAt !== null) {
    throw new AppError('unauthorized', `The token was revoked on ${revokedAt.toISOString()}; ask for a new one.`);
  }
  if (expiresAt !== null && expiresAt.getTime() <= nowMs) {
    throw new AppError('unauthorized', `The token expired on ${expiresAt.toISOString()}; ask for a new one.`);
  }
}

/** The token that a request carries; null when none, or when it can't be read. */
export function tokenOf(request: Request): string | null {
  const authorization = request.headers.authorization;
  if (authorization !== undefined) return /^Bearer +(\S+)$/i.exec(authorization)?.[1] ?? null;
  const agent = request.headers[AGENT_HEADER];
  return typeof agent === 'string' && agent !== '' ? agent : null;
}
