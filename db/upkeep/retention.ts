import { and, eq, exists, isNull, lt, not } from 'drizzle-orm';
import type { Database } from '../database.ts';
import { healSteps, incidents, operations } from '../schema/heals.ts';
import { notices } from '../schema/notices.ts';
import { rateLimits } from '../schema/rate-limits.ts';
import { apiTokens } from '../schema/tenants.ts';
import { healthTransitions, listeningSpans } from '../schema/vms.ts';

/**
 * Deletes steps, operations, closed incidents and notices, and transitions from before that time, and tokens that expired
 * before it. Operations of an open incident stay, because its heal needs them. Answers how many operations were deleted.
 */
export async function deleteHealHistoryBefore({ orm }: Database, beforeMs: number): Promise<number> {
  const before = new Date(beforeMs);
  const openIncident = orm
    .select({ incident: incidents.incident })
    .from(incidents)
    .where(
      and(eq(incidents.vmId, operations.vmId), eq(incidents.incident, operations.incident), isNull(incidents.closedAt)),
    );
  const deleted = await orm.delete(operations).where(and(lt(operations.intendedAt, before), not(exists(openIncident))));
  await orm.delete(healSteps).where(lt(healSteps.lastSeenAt, before));
  await orm.delete(incidents).where(lt(incidents.closedAt, before));
  await orm.delete(healthTransitions).where(lt(healthTransitions.at, before));
  await orm.delete(notices).where(lt(notices.closedAt, before));
  await orm.delete(apiTokens).where(lt(apiTokens.expiresAt, before));
  return deleted.rowCount ?? 0;
}

/** Deletes the spans in which reports could be received and that ended before that time. */
export async function deleteListeningBefore({ orm }: Database, beforeMs: number): Promise<void> {
  await orm.delete(listeningSpans).where(lt(listeningSpans.untilAt, new Date(beforeMs)));
}

/** Deletes counts of requests whose minute is over. */
export async function deleteRateLimitsBefore({ orm }: Database, beforeMs: number): Promise<void> {
  await orm.delete(rateLimits).where(lt(rateLimits.expire, beforeMs));
}
