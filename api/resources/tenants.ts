import type { z } from 'zod';
import { findTenants, recordTenant, recordTenantChanged, type TenantRow } from '../../db/access/tenants.ts';
import { AppError } from '../../domain/app-error.ts';
import { OPERATORS } from '../../domain/roles.ts';
import { byKey, readPage } from '../cursor.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { type Endpoint, endpoint, ok } from '../endpoint.ts';
import { authorOf } from '../request-context.ts';
import {
  tenantAnswer,
  tenantChangeInput,
  tenantExample,
  tenantIdField,
  tenantInput,
  tenantListAnswer,
  tenantListQuery,
} from '../schemas/tokens.ts';

const TAG = 'Access';
const BY_WORD = byKey(tenantIdField, ({ id }: TenantRow) => id);

/** Tenants, for the installation's operator. */
export function tenantEndpoints({ database }: ApiDependencies): Endpoint[] {
  const make = endpoint({
    id: 'makeTenant',
    method: 'post',
    path: '/api/tenants',
    tag: TAG,
    summary: 'Makes a tenant',
    roles: OPERATORS,
    body: tenantInput,
    example: { body: { id: 'acme', name: 'Acme', checkTargets: ['192.0.2.0/24'] } },
    answers: { 201: { description: 'The tenant', schema: tenantAnswer, example: tenantExample } },
  }).handle(async (call) => {
    const made = await recordTenant(database, call.body, authorOf(call));
    if (made === null) {
      const problems = [{ path: 'id', message: 'is taken' }];
      throw new AppError('conflict', `There is a tenant "${call.body.id}" already.`, { problems });
    }
    return { status: 201, body: toAnswer(made) };
  });

  const change = endpoint({
    id: 'changeTenant',
    method: 'patch',
    path: '/api/tenants/:tenantId',
    tag: TAG,
    summary: 'Changes a tenant; absent fields stay',
    roles: OPERATORS,
    body: tenantChangeInput,
    example: { body: { checkTargets: ['192.0.2.0/24', '198.51.100.7'] } },
    answers: {
      200: {
        description: 'The tenant',
        schema: tenantAnswer,
        example: { ...tenantExample, checkTargets: ['192.0.2.0/24', '198.51.100.7'] },
      },
    },
  }).handle(async (call) => {
    const { tenantId: id = '' } = call.params;
    // what is no id is not asked for: Postgres refuses NUL in any text
    const isId = tenantIdField.safeParse(id).success;
    const changed = isId ? await recordTenantChanged(database, id, call.body, authorOf(call)) : null;
    if (changed === null) throw new AppError('not-found', `There is no tenant "${id.slice(0, 63)}".`);
    return ok(toAnswer(changed));
  });

  const list = endpoint({
    id: 'listTenants',
    method: 'get',
    path: '/api/tenants',
    tag: TAG,
    summary: 'All tenants, by id',
    roles: OPERATORS,
    query: tenantListQuery,
    example: { query: { limit: 100 } },
    answers: {
      200: {
        description: 'At most 1,000 at a time',
        schema: tenantListAnswer,
        example: { tenants: [tenantExample], nextCursor: null },
      },
    },
  }).handle(async ({ query }) => {
    const { page, nextCursor } = await readPage(query, BY_WORD, (afterId, limit) =>
      findTenants(database.pool, afterId, limit),
    );
    return ok({ tenants: page.map(toAnswer), nextCursor });
  });

  return [make, change, list];
}

function toAnswer({ id, name, checkTargets, createdAt }: TenantRow): z.input<typeof tenantAnswer> {
  return { id, name, checkTargets, createdAt: createdAt.toISOString() };
}
