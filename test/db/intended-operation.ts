import { randomUUID } from 'node:crypto';
import type { Database } from '../../db/database.ts';
import { recordIncident } from '../../db/heals/incidents.ts';
import { type NewOperation, type OperationRow, recordIntended } from '../../db/heals/operations.ts';
import { NOON } from './watched.ts';

/**
 * Opens an incident of this VM, or takes the open one, and stores an intended reset, decided from facts gathered at noon while the VM
 * ran.
 */
export async function intendedReset(
  database: Database,
  vmId: string,
  given: Partial<NewOperation> = {},
  atMs = NOON,
): Promise<OperationRow> {
  const incident = await recordIncident(database, vmId, atMs);
  if (incident === null) throw new Error(`VM ${vmId} is paused`);
  const operation: NewOperation = {
    id: randomUUID(),
    vmId,
    tenantId: 'default',
    incident,
    attempt: 1,
    action: 'restart',
    power: 'reset',
    escalation: false,
    verifyMs: 60_000,
    policyId: null,
    reason: 'a test',
    previousStatus: 'unhealthy',
    cause: 'unresponsive',
    fence: { settingsVersion: 1, policyRevision: 0, checks: [], powerState: 'running', factsAtMs: NOON },
    ...given,
  };
  return database.orm.transaction((tx) => recordIntended(tx, operation, atMs));
}
