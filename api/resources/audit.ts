import { z } from 'zod';
import { type AuditAction, type AuditRow, findAudit } from '../../db/access/audit.ts';
import { ADMINS, OPERATORS } from '../../domain/roles.ts';
import { byKey, readPage } from '../cursor.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { type Endpoint, endpoint, ok } from '../endpoint.ts';
import { requireKnownVm } from '../request-context.ts';
import { type auditAnswer, auditExample, auditListAnswer, auditQuery } from '../schemas/audit.ts';

const NEWEST_FIRST = byKey(z.int(), ({ id }: AuditRow) => id);

/** Who changed what. */
export function auditEndpoints({ database }: ApiDependencies): Endpoint[] {
  const list = endpoint({
    id: 'listAudit',
    method: 'get',
    path: '/api/audit',
    tag: 'Audit',
    summary: 'Who changed what in the tenant, newest first; an operator also sees the changes of tenants',
    roles: ADMINS,
    query: auditQuery,
    example: { query: { action: 'vm_paused', since: '2026-11-22T07:00:00Z', limit: 100 } },
    answers: {
      200: { description: 'Changes', schema: auditListAnswer, example: { entries: [auditExample], nextCursor: null } },
    },
  }).handle(async ({ caller, query }) => {
    const { vm, actor = null, action = null, since: sinceMs = null } = query;
    const vmId = vm === undefined ? null : (await requireKnownVm({ database }, { caller, params: { id: vm } })).id;
    const withTenants = OPERATORS.includes(caller.role);
    const { page, nextCursor } = await readPage(query, NEWEST_FIRST, (beforeId, limit) =>
      findAudit(database, caller.tenantId, { withTenants, vmId, actor, action, sinceMs, beforeId, limit }),
    );
    return ok({ entries: page.map(toAnswer), nextCursor });
  });
  return [list];
}

function toAnswer({ id, at, actor, action, vmId, details }: AuditRow): z.input<typeof auditAnswer> {
  return { id: String(id), at: at.toISOString(), actor, action: action as AuditAction, vmId, details };
}
