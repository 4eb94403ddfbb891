import { and, desc, eq } from 'drizzle-orm';
import type { Facts } from '../../domain/facts.ts';
import type { Decided } from '../../domain/remedy.ts';
import type { Queryable } from '../database.ts';
import { healSteps } from '../schema/heals.ts';

/**
 * Records a decision with the facts it was made from. A hold for the same reason as the last step makes that step's count grow.
 */
export async function recordHealStep(
  tx: Queryable,
  facts: Facts,
  { decision, guards }: Decided,
  nowMs: number,
): Promise<void> {
  const { vmId, incident } = facts;
  const reason = decision.reason;
  const at = new Date(nowMs);
  const [last] = await tx
    .select({ step: healSteps.step, kind: healSteps.kind, reason: healSteps.reason, count: healSteps.count })
    .from(healSteps)
    .where(and(eq(healSteps.vmId, vmId), eq(healSteps.incident, incident)))
    .orderBy(desc(healSteps.step))
    .limit(1);
  if (last && decision.kind === 'hold' && last.kind === 'hold' && last.reason === reason) {
    await tx
      .update(healSteps)
      .set({ count: last.count + 1, lastSeenAt: at, decision, guards, facts })
      .where(and(eq(healSteps.vmId, vmId), eq(healSteps.incident, incident), eq(healSteps.step, last.step)));
    return;
  }
  await tx.insert(healSteps).values({
    vmId,
    incident,
    step: (last?.step ?? 0) + 1,
    kind: decision.kind,
    reason,
    decision,
    guards,
    facts,
    decidedAt: at,
    lastSeenAt: at,
    count: 1,
  });
}
