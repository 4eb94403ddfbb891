import { z } from 'zod';
import { recordAttemptsReset } from '../../db/heals/attempts-reset.ts';
import { findHealEvents, type HealEventRecord } from '../../db/heals/heal-events.ts';
import { PEOPLE } from '../../domain/roles.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { type Endpoint, endpoint, ok } from '../endpoint.ts';
import { authorOf, requireKnownVm, requireVm } from '../request-context.ts';
import { declaredFields, toIso } from '../schemas/fields.ts';
import { healEventAnswer, healEventExample, healHistoryQuery } from '../schemas/heals.ts';

const TAG = 'Auto-heal';

/** What was done to a VM. */
export function healEndpoints(deps: ApiDependencies, prefix: string, suffix: string): Endpoint[] {
  const history = endpoint({
    id: `readHealHistory${suffix}`,
    method: 'get',
    path: `${prefix}/:id/auto-heal/history`,
    tag: TAG,
    summary: 'What was done to a VM, newest first',
    roles: PEOPLE,
    query: healHistoryQuery,
    example: { query: { limit: 20 } },
    answers: { 200: { description: 'Heal events', schema: z.array(healEventAnswer), example: [healEventExample] } },
  }).handle(async (call) => {
    const vm = await requireKnownVm(deps, call);
    const events = await findHealEvents(deps.database.pool, vm.id, call.query.limit);
    return ok(events.map(toHealEvent));
  });

  const reset = endpoint({
    id: `resetHealAttempts${suffix}`,
    method: 'post',
    path: `${prefix}/:id/auto-heal/reset`,
    tag: TAG,
    summary: "A VM's heal attempts and failures back to 0; a heal that waits decides again",
    roles: PEOPLE,
    answers: { 200: { description: 'Reset', schema: z.object({ reset: z.literal(true) }), example: { reset: true } } },
  }).handle(async (call) => {
    const vm = await requireVm(deps, call);
    await recordAttemptsReset(deps.database, vm.id, authorOf(call));
    const delivery = await deps.temporal.attemptsReset(vm.id);
    // a heal that waits looks again by itself after a while
    if (!delivery.ok) {
      deps.logger.warn({ vmId: vm.id, reason: delivery.message }, 'a reset of attempts was not delivered');
    }
    return ok({ reset: true });
  });

  return [history, reset];
}

function toHealEvent(row: HealEventRecord): z.input<typeof healEventAnswer> {
  return {
    ...declaredFields(healEventAnswer, row),
    id: String(row.id),
    podId: row.vmId,
    triggeredAt: row.triggeredAt.toISOString(),
    completedAt: toIso(row.completedAt),
  };
}
