import { z } from 'zod';
import { findVms, type VmRecord } from '../../db/fleet/find-vms.ts';
import { findFleetCounts } from '../../db/fleet/fleet-counts.ts';
import { findHealSummary } from '../../db/heals/heal-events.ts';
import { findHistoryTotals, findResults, type ResultRecord } from '../../db/looks/check-results.ts';
import { findApplicablePolicies } from '../../db/policies/find-policies.ts';
import { attemptsCountSince, effectivePolicy } from '../../domain/policy.ts';
import { PEOPLE } from '../../domain/roles.ts';
import { uptimeOf } from '../../domain/uptime.ts';
import { BY_ID, type Order, readPage } from '../cursor.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { type Endpoint, endpoint, ok } from '../endpoint.ts';
import { requireKnownVm, requireVm } from '../request-context.ts';
import { declaredFields, instantMs, toIso } from '../schemas/fields.ts';
import {
  healthAnswer,
  healthExample,
  historyAnswer,
  historyExample,
  historyQuery,
  overviewAnswer,
  overviewExample,
  overviewQuery,
  type podAnswer,
  resultAnswer,
} from '../schemas/health.ts';
import { toStatusRow, weightOfVm } from '../vm-answer.ts';

const HOUR_MS = 3_600_000;
const RECENT_RESULTS = 10;
const BY_DUE_TIME: Order<ResultRecord, { dueAtMs: number; checkId: string }> = {
  keysOf: ({ dueAt, checkId }) => [dueAt.getTime(), checkId],
  place: z.tuple([instantMs, z.uuid()]).transform(([dueAtMs, checkId]) => ({ dueAtMs, checkId })),
};

/** How VMs are and were, in the shapes of the hosting panel that these paths come from. */
export function healthEndpoints(deps: ApiDependencies, prefix: string, suffix: string): Endpoint[] {
  const { pool } = deps.database;

  const overview = endpoint({
    id: `healthOverview${suffix}`,
    method: 'get',
    path: `${prefix}/health/overview`,
    tag: 'Health',
    summary: "Counts over all of the tenant's VMs, and each one's health",
    roles: PEOPLE,
    query: overviewQuery,
    example: { query: { limit: 100 } },
    answers: { 200: { description: 'The overview', schema: overviewAnswer, example: overviewExample } },
  }).handle(async ({ caller, query, nowMs }) => {
    const everyVm = { status: null, q: null, tag: null, provider: null };
    const [counts, { page, nextCursor }] = await Promise.all([
      findFleetCounts(pool, caller.tenantId, nowMs),
      readPage(
        query,
        BY_ID,
        (afterId, limit) => findVms(pool, caller.tenantId, { ...everyVm, afterId, limit }, nowMs),
        weightOfVm,
      ),
    ]);
    const { healthy, unhealthy, degraded, unknown, paused } = counts;
    const total = healthy + unhealthy + degraded + unknown + paused;
    return ok({ summary: { total, healthy, unhealthy, degraded, unknown, paused }, pods: page.map(toPod), nextCursor });
  });

  const health = endpoint({
    id: `readHealth${suffix}`,
    method: 'get',
    path: `${prefix}/:id/health`,
    tag: 'Health',
    summary: "A VM's health now, and its newest results",
    roles: PEOPLE,
    answers: { 200: { description: 'Its health', schema: healthAnswer, example: healthExample } },
  }).handle(async (call) => {
    const vm = await requireVm(deps, call);
    const [heals, results] = await Promise.all([
      findHealSummary(pool, vm.id, await windowBegan(deps, vm, call.nowMs)),
      findResults(pool, vm.id, { sinceMs: 0, checkType: null, before: null, limit: RECENT_RESULTS }),
    ]);
    return ok({
      podId: vm.id,
      status: vm.status,
      ...toStatusRow(vm, call.nowMs),
      autoHealAttempts: heals.attempts,
      lastAutoHealAt: toIso(heals.lastAt),
      pod: { name: vm.name, ipAddress: vm.address, status: vm.status },
      recentResults: results.map(toResult),
    });
  });

  const history = endpoint({
    id: `readHealthHistory${suffix}`,
    method: 'get',
    path: `${prefix}/:id/health/history`,
    tag: 'Health',
    summary: "A VM's results and its uptime over some hours",
    roles: PEOPLE,
    query: historyQuery,
    example: { query: { hours: 24, checkType: 'http', limit: 100 } },
    answers: {
      200: { description: 'Counts over the period, and its results', schema: historyAnswer, example: historyExample },
    },
  }).handle(async (call) => {
    const { hours, checkType = null } = call.query;
    const vm = await requireKnownVm(deps, call);
    const sinceMs = call.nowMs - hours * HOUR_MS;
    const [totals, { page, nextCursor }] = await Promise.all([
      findHistoryTotals(pool, vm.id, { sinceMs, checkType }),
      readPage(call.query, BY_DUE_TIME, (before, limit) =>
        findResults(pool, vm.id, { sinceMs, checkType, before, limit }),
      ),
    ]);
    const { percentage, inconclusive } = uptimeOf(totals);
    return ok({
      podId: vm.id,
      period: `${hours}h`,
      uptimePercentage: percentage,
      avgLatencyMs: totals.latencyMs === null ? null : String(Math.round(totals.latencyMs)),
      totalChecks: totals.total,
      healthyChecks: totals.healthy,
      unhealthyChecks: totals.unhealthy,
      unknownChecks: inconclusive,
      results: page.map(toResult),
      nextCursor,
    });
  });

  return [overview, health, history];
}

/** When the window began in which the VM's policy counts attempts. */
async function windowBegan({ database }: ApiDependencies, vm: VmRecord, nowMs: number): Promise<number> {
  const policies = (await findApplicablePolicies(database.pool, [vm.id])).get(vm.id) ?? [];
  const policy = effectivePolicy({ vmId: vm.id, tags: vm.tags }, policies)?.policy ?? null;
  return attemptsCountSince(policy, vm.attemptsResetAt?.getTime() ?? null, nowMs);
}

function toPod(vm: VmRecord): z.input<typeof podAnswer> {
  return {
    podId: vm.id,
    name: vm.name,
    status: vm.status,
    consecutiveFailures: vm.consecutiveFailures,
    lastCheckAt: toIso(vm.lastCheckAt),
    lastHealthyAt: toIso(vm.lastHealthyAt),
  };
}

function toResult({ message: errorMessage, ...record }: ResultRecord): z.input<typeof resultAnswer> {
  return { ...declaredFields(resultAnswer, { ...record, errorMessage }), checkedAt: record.checkedAt.toISOString() };
}
