import { z } from 'zod';
import { findFleetCounts } from '../../db/fleet/fleet-counts.ts';
import { countResets } from '../../db/heals/heal-events.ts';
import { PEOPLE } from '../../domain/roles.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { type Endpoint, endpoint, ok } from '../endpoint.ts';

const statusAnswer = z.object({
  total: z.int(),
  healthy: z.int(),
  warning: z.int(),
  down: z.int(),
  unknown: z.int(),
  paused: z.int(),
  resets: z.int().describe('carried out, within the retention of heal events'),
});

/** The tenant's totals. */
export function statusEndpoints({ database }: ApiDependencies): Endpoint[] {
  const status = endpoint({
    id: 'readStatus',
    method: 'get',
    path: '/api/status',
    tag: 'VMs',
    summary: 'How many VMs have which status',
    roles: PEOPLE,
    answers: {
      200: {
        description: 'Totals',
        schema: statusAnswer,
        example: { total: 1, healthy: 1, warning: 0, down: 0, unknown: 0, paused: 0, resets: 0 },
      },
    },
  }).handle(async ({ caller, nowMs }) => {
    const [counts, resets] = await Promise.all([
      findFleetCounts(database.pool, caller.tenantId, nowMs),
      countResets(database.pool, caller.tenantId),
    ]);
    const { healthy, degraded: warning, unhealthy: down, unknown, paused } = counts;
    return ok({ total: healthy + warning + down + unknown + paused, healthy, warning, down, unknown, paused, resets });
  });
  return [status];
}
