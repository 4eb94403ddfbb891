import { z } from 'zod';
import {
  findIncidents,
  findTenantIncidents,
  type IncidentPlace,
  type IncidentRecord,
  type StepRecord,
  type WholeIncidentRecord,
} from '../../db/heals/incident-history.ts';
import {
  currentWouldChange,
  decidingGuardOf,
  type IncidentFacts,
  incidentSentence,
  incidentStateOf,
  nextAtMsOf,
} from '../../domain/incident.ts';
import { PEOPLE } from '../../domain/roles.ts';
import { byKey, type Order, readPage } from '../cursor.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { type Endpoint, endpoint, ok } from '../endpoint.ts';
import { withIsoTimes } from '../iso-times.ts';
import { requireKnownVm } from '../request-context.ts';
import { instantMs, toIso } from '../schemas/fields.ts';
import {
  type incidentAnswer,
  incidentExample,
  incidentListAnswer,
  incidentListQuery,
  type incidentSummaryAnswer,
  incidentSummaryExample,
  incidentSummaryListAnswer,
  incidentsQuery,
} from '../schemas/heals.ts';

const TAG = 'Auto-heal';
const BY_INCIDENT = byKey(z.int32(), ({ incident }: IncidentRecord) => incident);
const BY_OPENING: Order<IncidentRecord, IncidentPlace> = {
  keysOf: ({ openedAt, vmId, incident }) => [openedAt.getTime(), vmId, incident],
  place: z
    .tuple([instantMs, z.uuid(), z.int32()])
    .transform(([openedAtMs, vmId, incident]) => ({ openedAtMs, vmId, incident })),
};

/** Why something was done to a VM, and why not. */
export function incidentEndpoints({ database }: ApiDependencies, prefix: string, suffix: string): Endpoint[] {
  const incidents = endpoint({
    id: `listIncidents${suffix}`,
    method: 'get',
    path: `${prefix}/:id/incidents`,
    tag: TAG,
    summary: "A VM's incidents, newest first, each decision with the guards' answers and the facts it was made from",
    roles: PEOPLE,
    query: incidentListQuery,
    example: { query: { limit: 20 } },
    answers: {
      200: {
        description: 'Incidents',
        schema: incidentListAnswer,
        example: { incidents: [incidentExample], nextCursor: null },
      },
    },
  }).handle(async (call) => {
    const vm = await requireKnownVm({ database }, call);
    const { page, nextCursor } = await readPage(call.query, BY_INCIDENT, (before, limit) =>
      findIncidents(database.pool, vm.id, { before, limit }),
    );
    return ok({ incidents: page.map((record) => toIncident(record, call.nowMs)), nextCursor });
  });
  return [incidents];
}

/** The incidents of all VMs of a tenant. */
export function tenantIncidentEndpoints({ database }: ApiDependencies): Endpoint[] {
  const list = endpoint({
    id: 'listIncidentsOfTenant',
    method: 'get',
    path: '/api/incidents',
    tag: TAG,
    summary: 'Incidents of all VMs, deleted ones included, newest first',
    roles: PEOPLE,
    query: incidentsQuery,
    example: { query: { open: 'true', since: '2026-11-22T07:00:00Z', q: 'web', limit: 100 } },
    answers: {
      200: {
        description: 'Incidents',
        schema: incidentSummaryListAnswer,
        example: { incidents: [incidentSummaryExample], nextCursor: null },
      },
    },
  }).handle(async ({ caller, query, nowMs }) => {
    const { open = null, since: sinceMs = null, q = null } = query;
    const { page, nextCursor } = await readPage(query, BY_OPENING, (before, limit) =>
      findTenantIncidents(database.pool, caller.tenantId, { open, sinceMs, q, before, limit }),
    );
    return ok({ incidents: page.map((record) => toSummary(record, nowMs)), nextCursor });
  });
  return [list];
}

function factsOf({ incident, openedAt, closedAt, outcome, lastStep, lastOperation }: IncidentRecord): IncidentFacts {
  return {
    number: incident,
    openedAtMs: openedAt.getTime(),
    closedAtMs: closedAt?.getTime() ?? null,
    outcome,
    lastStep,
    lastOperation,
  };
}

function toSummary(record: IncidentRecord, nowMs: number): z.input<typeof incidentSummaryAnswer> {
  const facts = factsOf(record);
  const state = incidentStateOf(facts);
  const nextAtMs = record.closedAt === null ? nextAtMsOf(facts, state) : null;
  return {
    sentence: incidentSentence(facts, nowMs),
    state: record.closedAt === null ? state : 'closed',
    decidingGuard: decidingGuardOf(facts),
    wouldChange: currentWouldChange(facts, nowMs),
    nextAt: nextAtMs === null ? null : new Date(nextAtMs).toISOString(),
    incident: record.incident,
    vmId: record.vmId,
    vmName: record.vmName,
    vmDeletedAt: toIso(record.vmDeletedAt),
    outcome: record.outcome,
    openedAt: record.openedAt.toISOString(),
    closedAt: toIso(record.closedAt),
  };
}

function toIncident(record: WholeIncidentRecord, nowMs: number): z.input<typeof incidentAnswer> {
  return {
    ...toSummary(record, nowMs),
    operations: record.operations,
    steps: record.steps.map(toStep),
  };
}

/** What would change a decision is told of the last one only, by the incident: in an earlier one it names times that have passed. */
function toStep({ decision, facts, ...step }: StepRecord): z.input<typeof incidentAnswer>['steps'][number] {
  const { wouldChange: _, ...told } = { wouldChange: null, ...decision };
  return { ...step, decision: withIsoTimes(told), facts: withIsoTimes(facts) };
}
