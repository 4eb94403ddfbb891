import { recordPaused, recordResumed } from '../db/fleet/pause.ts';
import { recordKnown } from '../db/fleet/vm-changes.ts';
import type { PauseActivities } from './contract.ts';
import type { Dependencies } from './dependencies.ts';

/** Whoever may signal workflows may pause VMs, and Temporal does not say who did. */
const ACTOR = 'temporal (unverified)';

/** Stores what was signalled; a VM that is gone needs no pause. */
export async function storePause(
  { database, now }: Dependencies,
  { vmId, tenantId, reason }: Parameters<PauseActivities['storePause']>[0],
): Promise<void> {
  const author = { tenantId, actor: ACTOR, nowMs: now() };
  const stored =
    reason === null ? await recordResumed(database, vmId, author) : await recordPaused(database, vmId, reason, author);
  // its workflow asked for it, so nothing has to be announced
  if (stored !== null && stored !== 'not-paused') await recordKnown(database.pool, vmId, stored.version);
}
