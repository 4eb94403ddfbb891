import { recordFirstAgentCheck } from '../../db/fleet/check-settings.ts';
import { findVm } from '../../db/fleet/find-vms.ts';
import { findReportedVm, type Measurement, type PastReport, recordReports } from '../../db/reports/agent-reports.ts';
import { AppError, type Problem } from '../../domain/app-error.ts';
import { REPORTERS } from '../../domain/roles.ts';
import { announceChange } from '../announcing.ts';
import { type Caller } from '../caller.ts';
import { firstAgentCheck } from '../check-defaults.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { type Endpoint, endpoint, ok } from '../endpoint.ts';
import { authorOf } from '../request-context.ts';
import { type ReportInput, reportAnswer, reportExample, reportInput } from '../schemas/reports.ts';

const DAY_MS = 86_400_000;

/** Agents' reports: the live one is a heartbeat, those from the past only fill in measurements. */
export function reportEndpoints(deps: ApiDependencies): Endpoint[] {
  const report = endpoint({
    id: 'report',
    method: 'post',
    path: '/api/health/report',
    tag: 'Agents',
    summary: 'A report of a VM by its agent; the first one makes the agent check',
    roles: REPORTERS,
    body: reportInput(deps.clock),
    example: {
      body: {
        vmId: '104',
        cpu: 12.5,
        ram: 40,
        disk: 71,
        uptime: 86_400,
        agentVersion: '1.0',
        reports: [{ timestamp: '2026-11-22T08:00:00Z', cpu: 90 }],
      },
    },
    answers: { 200: { description: 'Received', schema: reportAnswer, example: reportExample } },
  })
    .judge(async ({ body, caller, nowMs, refused }) => {
      const named = body.vmId ?? null;
      const unnamed = caller.vmId === null && named === null;
      const problems: Problem[] = [];
      if (unnamed && !refused.has('vmId')) {
        problems.push({ path: 'vmId', message: "is needed with a token that isn't an agent's" });
      }
      if (body.backfilled && body.timestamp == null && !refused.has('timestamp')) {
        problems.push({ path: 'timestamp', message: 'is needed for a report from the past' });
      }
      return { problems, found: unnamed ? null : await requireReported(deps, caller, named, nowMs) };
    })
    .handle(async (call) => {
      const { body, nowMs, found: vm } = call;
      const { live, past, ignored } = sortReports(body, nowMs - deps.settings.RESULT_RETENTION_DAYS * DAY_MS);
      await recordReports(deps.database.pool, vm.id, live, past, nowMs);
      if (live !== null && !vm.hasAgentCheck) {
        const check = firstAgentCheck(deps.settings);
        const committed = await recordFirstAgentCheck(deps.database, vm.id, check, authorOf(call));
        if (committed) await announceChange(deps, committed, true);
      }
      return ok({
        received: true,
        vmId: vm.id,
        receivedAt: new Date(nowMs).toISOString(),
        live: live !== null,
        backfilled: past.length,
        ignored,
        reportIntervalSeconds: vm.reportIntervalSeconds,
      });
    });
  return [report];
}

/**
 * An agent reports for its own VM alone; administrators name one of their tenant.
 * @throws AppError `not-found`; `forbidden` when an agent names another VM
 */
async function requireReported({ database }: ApiDependencies, caller: Caller, named: string | null, nowMs: number) {
  const { tenantId } = caller;
  const id = caller.vmId ?? (named && (await findVm(database.pool, tenantId, named, nowMs))?.id);
  const vm = id ? await findReportedVm(database.pool, tenantId, id) : null;
  if (!id || vm === null) throw new AppError('not-found', 'There is no such VM; register it first.');
  if (named !== null && named.toLowerCase() !== id && named !== vm.externalId) {
    throw new AppError('forbidden', 'This token may only report for its own VM; each VM has a token of its own.');
  }
  return { id, ...vm };
}

function sortReports(body: ReportInput, oldestMs: number) {
  const own = measured(body);
  const agentAtMs = body.timestamp ?? null;
  const past: PastReport[] = (body.reports ?? []).map((one) => Object.assign(measured(one), { atMs: one.timestamp }));
  if (body.backfilled && agentAtMs !== null) past.push({ ...own, atMs: agentAtMs });
  const kept = past.filter((one) => one.atMs >= oldestMs);
  const live = body.backfilled ? null : { ...own, agentAtMs, agentVersion: body.agentVersion ?? null };
  return { live, past: kept, ignored: past.length - kept.length };
}

function measured({
  cpu,
  ram,
  memory,
  disk,
  uptime,
}: Partial<Pick<ReportInput, 'cpu' | 'ram' | 'memory' | 'disk' | 'uptime'>>): Measurement {
  return { cpu: cpu ?? null, ram: ram ?? memory ?? null, disk: disk ?? null, uptime: uptime ?? null };
}
