import { z } from 'zod';
import { recordAttemptsReset } from '../../db/heals/attempts-reset.ts';
import { findHealEvents, type HealEventRecord } from '../../db/heals/heal-events.ts';
import { findIncidents } from '../../db/heals/incident-history.ts';
import { PEOPLE } from '../caller.ts';
import { fromCursor, toPage } from '../cursor.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { type Endpoint, endpoint, ok } from '../endpoint.ts';
import { authorOf, requireVm } from '../request-context.ts';
import { healEventAnswer, healHistoryQuery, incidentListAnswer, incidentListQuery } from '../schemas/heals.ts';
import { toIso } from '../vm-answer.ts';

const TAG = 'Auto-heal';
const incidentPosition = z.tuple([z.int()]);

/** What was done to a VM, why, and why not. */
export function healEndpoints(deps: ApiDependencies, prefix: string, suffix: string): Endpoint[] {
  const history = endpoint({
    id: `readHealHistory${suffix}`,
    method: 'get',
    path: `${prefix}/:id/auto-heal/history`,
    tag: TAG,
    summary: 'What was done to a VM, newest first',
    roles: PEOPLE,
    query: healHistoryQuery,
    answers: { 200: { description: 'Heal events', schema: z.array(healEventAnswer) } },
    async handle(call) {
      const vm = await requireVm(deps, call);
      const events = await findHealEvents(deps.database.pool, vm.id, call.query.limit);
      return ok(events.map(toAnswer));
    },
  });

  const reset = endpoint({
    id: `resetHealAttempts${suffix}`,
    method: 'post',
    path: `${prefix}/:id/auto-heal/reset`,
    tag: TAG,
    summary: "A VM's heal attempts and failures back to 0; a heal that waits decides again",
    roles: PEOPLE,
    answers: { 200: { description: 'Reset', schema: z.object({ reset: z.literal(true) }) } },
    async handle(call) {
      const vm = await requireVm(deps, call);
      await recordAttemptsReset(deps.database, vm.id, authorOf(call));
      const told = await deps.temporal.attemptsReset(vm.id);
      // a heal that waits looks again by itself after a while
      if (!told.ok) deps.logger.warn({ vmId: vm.id, reason: told.message }, 'nobody heard that attempts were reset');
      return ok({ reset: true });
    },
  });

  const incidents = endpoint({
    id: `listIncidents${suffix}`,
    method: 'get',
    path: `${prefix}/:id/incidents`,
    tag: TAG,
    summary: "A VM's incidents, newest first, each decision with the guards' answers and the facts it was made from",
    roles: PEOPLE,
    query: incidentListQuery,
    answers: { 200: { description: 'Incidents', schema: incidentListAnswer } },
    async handle(call) {
      const vm = await requireVm(deps, call);
      const { limit, cursor } = call.query;
      const before = fromCursor(cursor, incidentPosition)?.[0] ?? null;
      const rows = await findIncidents(deps.database.pool, vm.id, { before, limit: limit + 1 });
      const { page, nextCursor } = toPage(rows, limit, (row) => [row.incident]);
      return ok({ incidents: page, nextCursor });
    },
  });

  return [history, reset, incidents];
}

function toAnswer(row: HealEventRecord): object {
  const { vmId, ...event } = row;
  return {
    ...event,
    id: String(event.id),
    podId: vmId,
    triggeredAt: event.triggeredAt.toISOString(),
    completedAt: toIso(event.completedAt),
  };
}
