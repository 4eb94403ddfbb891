import { traitsIn } from '../../checks/check.ts';
import { findOperation, recordOperationEvent } from '../../db/heals/operations.ts';
import { findWatchedVms } from '../../db/looks/watched-vms.ts';
import { PAUSED_ASK_AGAIN_MS } from '../../domain/guards/paused.ts';
import { aliveStatus, hasRecovered } from '../../domain/recovery.ts';
import type { HealActivities, IncidentKey } from '../contract.ts';
import type { Dependencies } from '../dependencies.ts';
import { checkFacts } from './gather-facts.ts';

/** In a verify window looks come every 5 s; a moment later the next one is stored. */
const NEXT_LOOK_MS = 6_000;

/**
 * Judges an operation by the looks that began after it was done. Health closes it as a success; the end of its window without
 * health as a failure; a VM that is gone or stopped on purpose leaves nothing to judge.
 */
export async function verify(
  deps: Dependencies,
  { vmId, operationId, windowOver }: IncidentKey & { operationId: string; windowOver: boolean },
): ReturnType<HealActivities['verify']> {
  const { orm, pool } = deps.database;
  const operation = await findOperation(orm, operationId);
  if (!operation || operation.state === 'abandoned') return { settled: true, line: 'the remedy was never sent' };
  const vm = (await findWatchedVms(pool, [vmId], traitsIn(deps.probes))).get(vmId);
  const close = (result: 'success' | 'failed', errorMessage: string | null) =>
    orm.transaction((tx) =>
      recordOperationEvent(tx, operationId, { kind: 'judged', result, errorMessage }, deps.now()),
    );

  if (!vm || vm.deleted || vm.stoppedOnPurpose) {
    await close('failed', 'the VM was deleted or stopped before it was seen healthy');
    return { settled: true, line: 'nothing left to judge: the VM was deleted or stopped' };
  }
  if (vm.paused !== null) {
    const line = 'paused: without looks it can not be judged';
    return { settled: false, paused: true, lookAgainInMs: PAUSED_ASK_AGAIN_MS, line };
  }
  const checks = checkFacts(vm);
  if (hasRecovered({ checks, lastRemedyDoneAtMs: operation.endedAt?.getTime() ?? null })) {
    await close('success', null);
    return { settled: true, helped: true, line: `${operation.action} helped: healthy again` };
  }
  if (windowOver) {
    const message =
      operation.verifyMs > 0
        ? `not healthy within ${operation.verifyMs / 1000} s of the remedy`
        : 'it is not known whether the remedy was carried out';
    if (operation.power !== null) await close('failed', message);
    return { settled: false, line: message };
  }
  return {
    settled: false,
    ...(aliveStatus(checks) === 'healthy' ? { lookAgainInMs: NEXT_LOOK_MS } : {}),
    line: `waits up to ${operation.verifyMs / 1000} s to see whether ${operation.action} helped`,
  };
}
