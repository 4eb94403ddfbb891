import { z } from 'zod';
import {
  findPolicyPage,
  type PolicyRow,
  recordPolicy,
  recordPolicyChanged,
  recordPolicyDeleted,
} from '../../db/policies/policy-changes.ts';
import { isUuid } from '../../domain/ids.ts';
import { policyInWords } from '../../domain/policy-words.ts';
import { PEOPLE } from '../../domain/roles.ts';
import { BY_ID, readPage } from '../cursor.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { type Endpoint, endpoint, ok } from '../endpoint.ts';
import { countCovered, judgePolicy, noSuchPolicy, underItsName } from '../policy-rules.ts';
import { authorOf } from '../request-context.ts';
import { declaredFields } from '../schemas/fields.ts';
import {
  policyAnswer,
  policyExample,
  policyInput,
  policyListAnswer,
  policyListQuery,
  savedPolicyAnswer,
  savedPolicyExample,
} from '../schemas/policies.ts';

const TAG = 'Auto-heal';

/** What is done to ill VMs. A change reaches heals under way: they decide by the policies as they are then. */
export function policyEndpoints(deps: ApiDependencies, prefix: string, suffix: string): Endpoint[] {
  const list = endpoint({
    id: `listPolicies${suffix}`,
    method: 'get',
    path: `${prefix}/auto-heal/policies`,
    tag: TAG,
    summary: "The tenant's policies, oldest first; the most specific enabled one counts, then the oldest",
    roles: PEOPLE,
    query: policyListQuery,
    example: { query: { limit: 100 } },
    answers: {
      200: {
        description: 'At most 1,000 at a time',
        schema: policyListAnswer,
        example: { policies: [policyExample], nextCursor: null },
      },
    },
  }).handle(async ({ caller, query }) => {
    const { page, nextCursor } = await readPage(query, BY_ID, (afterId, limit) =>
      findPolicyPage(deps.database, caller.tenantId, afterId, limit),
    );
    return ok({ policies: page.map(toAnswer), nextCursor });
  });

  const upsert = endpoint({
    id: `savePolicy${suffix}`,
    method: 'post',
    path: `${prefix}/auto-heal/policies`,
    tag: TAG,
    summary: 'Makes a policy; with an id changes that one, absent fields stay',
    roles: PEOPLE,
    body: policyInput,
    example: { body: { name: 'restart web servers', tag: 'prod', action: 'restart', triggerAfterFailures: 3 } },
    answers: {
      200: { description: 'Changed', schema: savedPolicyAnswer },
      201: { description: 'Made', schema: savedPolicyAnswer, example: savedPolicyExample },
    },
  })
    .judge((call) => judgePolicy(deps, call))
    .handle(async (call) => {
      const { found } = call;
      const { id, settings, named } = found;
      const { database } = deps;
      const saved = await underItsName(database, call.caller.tenantId, { id, ...named }, () =>
        id === null
          ? recordPolicy(database, settings, authorOf(call))
          : recordPolicyChanged(database, id, settings, authorOf(call)),
      );
      if (saved === null) throw noSuchPolicy(id ?? '');
      const body = { ...toAnswer(saved), ...(await countCovered(database, saved)), inWords: policyInWords(saved) };
      return id === null ? { status: 201, body } : ok(body);
    });

  const remove = endpoint({
    id: `deletePolicy${suffix}`,
    method: 'delete',
    path: `${prefix}/auto-heal/policies/:policyId`,
    tag: TAG,
    summary: 'Deletes a policy',
    roles: PEOPLE,
    answers: {
      200: { description: 'Deleted', schema: z.object({ deleted: z.literal(true) }), example: { deleted: true } },
    },
  }).handle(async (call) => {
    const id = call.params.policyId ?? '';
    const deleted = isUuid(id) && (await recordPolicyDeleted(deps.database, id, authorOf(call)));
    if (!deleted) throw noSuchPolicy(id);
    return ok({ deleted: true });
  });

  return [list, upsert, remove];
}

function toAnswer(row: PolicyRow): z.input<typeof policyAnswer> {
  const { createdAt, updatedAt } = row;
  return {
    ...declaredFields(policyAnswer, row),
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
  };
}
