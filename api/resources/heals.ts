import { z } from 'zod';
import { recordAttemptsReset } from '../../db/heals/attempts-reset.ts';
import { findHealEvents, type HealEventRecord } from '../../db/heals/heal-events.ts';
import { findIncidents, type IncidentRecord } from '../../db/heals/incident-history.ts';
import { PEOPLE } from '../../domain/roles.ts';
import { byKey, readPage } from '../cursor.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { type Endpoint, endpoint, ok } from '../endpoint.ts';
import { authorOf, requireVm } from '../request-context.ts';
import { declaredFields, toIso } from '../schemas/fields.ts';
import {
  healEventAnswer,
  healHistoryQuery,
  incidentAnswer,
  incidentListAnswer,
  incidentListQuery,
} from '../schemas/heals.ts';

const TAG = 'Auto-heal';
const BY_INCIDENT = byKey(z.int32(), ({ incident }: IncidentRecord) => incident);

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
  }).handle(async (call) => {
    const vm = await requireVm(deps, call);
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
    answers: { 200: { description: 'Reset', schema: z.object({ reset: z.literal(true) }) } },
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

  const incidents = endpoint({
    id: `listIncidents${suffix}`,
    method: 'get',
    path: `${prefix}/:id/incidents`,
    tag: TAG,
    summary: "A VM's incidents, newest first, each decision with the guards' answers and the facts it was made from",
    roles: PEOPLE,
    query: incidentListQuery,
    answers: { 200: { description: 'Incidents', schema: incidentListAnswer } },
  }).handle(async (call) => {
    const vm = await requireVm(deps, call);
    const { page, nextCursor } = await readPage(call.query, BY_INCIDENT, (before, limit) =>
      findIncidents(deps.database.pool, vm.id, { before, limit }),
    );
    return ok({ incidents: page.map(toIncident), nextCursor });
  });

  return [history, reset, incidents];
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

function toIncident(record: IncidentRecord): z.input<typeof incidentAnswer> {
  const { openedAt, closedAt } = record;
  return {
    ...declaredFields(incidentAnswer, record),
    openedAt: openedAt.toISOString(),
    closedAt: toIso(closedAt),
  };
}
