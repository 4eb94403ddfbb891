import { z } from 'zod';
import { findMeasurements, type MeasurementPoint } from '../../db/reports/measurements.ts';
import { PEOPLE } from '../../domain/roles.ts';
import { byKey, readPage } from '../cursor.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { type Endpoint, endpoint, ok } from '../endpoint.ts';
import { requireVm } from '../request-context.ts';
import { instantField, instantMs, nextCursorAnswer, pageQuery } from '../schemas/fields.ts';

const HOUR_MS = 3_600_000;
const DEFAULT_POINTS = 300;

const measurementsQuery = z.strictObject({
  from: instantField.describe('default: an hour before `to`').optional(),
  to: instantField.describe('default: now').optional(),
  step: z.coerce
    .number('must be a whole number of seconds')
    .int('must be a whole number of seconds')
    .min(1, 'must be at least 1 second')
    .max(31_536_000, 'must be at most a year')
    .describe('seconds; default: about 300 points')
    .optional(),
  ...pageQuery,
});

const percent = z.number().nullable();
const pointAnswer = z.object({
  at: z.iso.datetime(),
  cpu: percent,
  ram: percent,
  disk: percent,
  uptime: z.number().nullable(),
  samples: z.int(),
});
const measurementsAnswer = z.object({
  vmId: z.uuid(),
  from: z.iso.datetime(),
  to: z.iso.datetime(),
  stepSeconds: z.int(),
  points: z.array(pointAnswer),
  nextCursor: nextCursorAnswer,
});

const measurementsExample: z.input<typeof measurementsAnswer> = {
  vmId: '01a20f33-0000-7000-8000-000000000003',
  from: '2026-11-22T07:00:00.000Z',
  to: '2026-11-22T08:00:00.000Z',
  stepSeconds: 60,
  points: [{ at: '2026-11-22T07:59:00.000Z', cpu: 12.5, ram: 40, disk: 71, uptime: 86_400, samples: 1 }],
  nextCursor: null,
};

/** What VMs' agents measured, over time. Defib's own metrics are in `prometheus.ts`. */
export function measurementEndpoints(deps: ApiDependencies): Endpoint[] {
  const read = endpoint({
    id: 'readMetrics',
    method: 'get',
    path: '/api/vms/:id/metrics',
    tag: 'Agents',
    summary: 'CPU, RAM and disk over time: means per step, oldest first',
    roles: PEOPLE,
    query: measurementsQuery,
    example: { query: { from: '2026-11-22T07:00:00Z', to: '2026-11-22T08:00:00Z', step: 60 } },
    answers: {
      200: { description: 'Steps that have reports', schema: measurementsAnswer, example: measurementsExample },
    },
  })
    .judge(async ({ query, nowMs, refused }) => {
      const { to: untilMs = nowMs, from: fromMs = untilMs - HOUR_MS } = query;
      const problems = fromMs < untilMs || refused.has('to') ? [] : [{ path: 'from', message: 'must be before `to`' }];
      return { problems, found: { fromMs, untilMs } };
    })
    .handle(async (call) => {
      const vm = await requireVm(deps, call);
      const { fromMs, untilMs } = call.found;
      const stepSeconds = call.query.step ?? Math.max(1, Math.ceil((untilMs - fromMs) / 1000 / DEFAULT_POINTS));
      const byNextStep = byKey(instantMs, ({ at }: MeasurementPoint) => at.getTime() + stepSeconds * 1000);
      const { page, nextCursor } = await readPage(call.query, byNextStep, (nextMs, limit) =>
        findMeasurements(deps.database.pool, vm.id, { fromMs, untilMs, stepSeconds, startMs: nextMs ?? fromMs, limit }),
      );
      return ok({
        vmId: vm.id,
        from: new Date(fromMs).toISOString(),
        to: new Date(untilMs).toISOString(),
        stepSeconds,
        points: page.map(toPoint),
        nextCursor,
      });
    });
  return [read];
}

function toPoint({ at, cpu, ram, disk, uptime, samples }: MeasurementPoint): z.input<typeof pointAnswer> {
  return { at: at.toISOString(), cpu, ram, disk, uptime, samples };
}
