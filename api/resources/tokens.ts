import { z } from 'zod';
import { findTokens, recordToken, recordTokenRevoked, type TokenRow } from '../../db/access/api-tokens.ts';
import { tenantExists } from '../../db/access/tenants.ts';
import { findVm } from '../../db/fleet/find-vms.ts';
import { AppError, type Problem } from '../../domain/app-error.ts';
import { isUuid } from '../../domain/ids.ts';
import { ADMINS } from '../../domain/roles.ts';
import { type Caller } from '../caller.ts';
import { BY_ID, readPage } from '../cursor.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { type Endpoint, endpoint, ok } from '../endpoint.ts';
import { authorOf } from '../request-context.ts';
import { declaredFields, toIso } from '../schemas/fields.ts';
import { tokenAnswer, tokenExample, tokenInput, tokenListAnswer, tokenListQuery } from '../schemas/tokens.ts';

const TAG = 'Access';

/** Tokens of the own tenant; the installation's operator reaches every tenant. */
export function tokenEndpoints(deps: ApiDependencies): Endpoint[] {
  const { database, clock } = deps;

  const make = endpoint({
    id: 'makeToken',
    method: 'post',
    path: '/api/tokens',
    tag: TAG,
    summary: 'Makes a token; its secret is shown this once',
    roles: ADMINS,
    body: tokenInput(clock),
    example: { body: { name: 'dashboard', role: 'USER', expiresAt: '2099-12-31T23:59:59Z' } },
    answers: {
      201: {
        description: 'The token',
        schema: tokenAnswer.extend({ token: z.string() }),
        example: { ...tokenExample, token: 'defib_example-of-a-token' },
      },
    },
  })
    .judge(async ({ caller, body, nowMs, refused }) => {
      const { role, vmId, tenantId = caller.tenantId } = body;
      requireReach(caller, role, tenantId);
      const vm = vmId === undefined ? null : await findVm(database.pool, tenantId, vmId, nowMs);
      const problems: Problem[] = [];
      if (!(await tenantExists(database.pool, tenantId))) {
        problems.push({ path: 'tenantId', message: 'there is no such tenant' });
      }
      if (role === 'AGENT' && vm === null && !refused.has('vmId')) {
        problems.push({ path: 'vmId', message: "an AGENT's token needs a VM of the tenant to speak for" });
      }
      if (role !== 'AGENT' && role !== undefined && vmId !== undefined) {
        problems.push({ path: 'vmId', message: 'is only for tokens of role AGENT' });
      }
      return { problems, found: { tenantId, vmId: vm?.id ?? null } };
    })
    .handle(async (call) => {
      const { name, role, expiresAt = null } = call.body;
      const wanted = { ...call.found, role, name, expiresAtMs: expiresAt };
      const made = await database.orm.transaction((tx) => recordToken(tx, wanted, authorOf(call)));
      return { status: 201, body: { ...toAnswer(made.row), token: made.secret } };
    });

  const list = endpoint({
    id: 'listTokens',
    method: 'get',
    path: '/api/tokens',
    tag: TAG,
    summary: "The tenant's tokens, without their secrets; an operator may ask for another tenant's",
    roles: ADMINS,
    query: tokenListQuery,
    example: { query: { limit: 100 } },
    answers: {
      200: {
        description: 'At most 1,000 at a time',
        schema: tokenListAnswer,
        example: { tokens: [tokenExample], nextCursor: null },
      },
    },
  }).handle(async ({ caller, query }) => {
    const { tenantId = caller.tenantId } = query;
    requireReach(caller, 'USER', tenantId);
    const withOperators = caller.role === 'OPERATOR';
    const { page, nextCursor } = await readPage(query, BY_ID, (afterId, limit) =>
      findTokens(database.pool, { tenantId, withOperators, afterId, limit }),
    );
    return ok({ tokens: page.map(toAnswer), nextCursor });
  });

  const revoke = endpoint({
    id: 'revokeToken',
    method: 'delete',
    path: '/api/tokens/:tokenId',
    tag: TAG,
    summary: 'Revokes a token at once',
    roles: ADMINS,
    answers: {
      200: { description: 'Revoked', schema: z.object({ revoked: z.literal(true) }), example: { revoked: true } },
    },
  }).handle(async (call) => {
    const id = call.params.tokenId ?? '';
    const reach = { operator: call.caller.role === 'OPERATOR' };
    if (!isUuid(id) || !(await recordTokenRevoked(database, id, reach, authorOf(call)))) {
      throw new AppError('not-found', 'There is no such token, or it is revoked already.');
    }
    return ok({ revoked: true });
  });

  return [make, list, revoke];
}

/** @throws AppError `forbidden`, for other tenants the same whether they exist or not. */
function requireReach(caller: Caller, role: TokenRow['role'] | undefined, tenantId: string): void {
  if (caller.role === 'OPERATOR') return;
  if (tenantId !== caller.tenantId) throw new AppError('forbidden', 'Only an OPERATOR reaches other tenants.');
  if (role === 'OPERATOR') throw new AppError('forbidden', 'Only an OPERATOR may make tokens of role OPERATOR.');
}

function toAnswer(row: Omit<TokenRow, 'tokenHash'>): z.input<typeof tokenAnswer> {
  return {
    ...declaredFields(tokenAnswer, row),
    expiresAt: toIso(row.expiresAt),
    revokedAt: toIso(row.revokedAt),
    createdAt: row.createdAt.toISOString(),
  };
}
