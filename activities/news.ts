import type { Pool } from 'pg';
import { findPolicies } from '../db/policies/find-policies.ts';
import { lookLine } from '../domain/look.ts';
import { effectivePolicy, type Policy, triggers } from '../domain/policy.ts';
import type { WatchedVm } from '../domain/watched.ts';
import type { LookInput, LookNews } from './contract.ts';
import type { LookOutcome } from './look/look.ts';
import { keptReads } from './look/shared-reads.ts';

/** Whether a look is news to the VM's workflow, and what it is then; null when it is none. */
export type NewsOf = (
  looked: LookOutcome & { kind: 'looked' },
  known: Pick<LookInput, 'deliveredSeq' | 'healOpen' | 'now'>,
) => Promise<LookNews | null>;

/** Level-triggered: whatever has not been delivered to the workflow is news, whoever brought it about. */
export function createNews(pool: Pool, now: () => number): NewsOf {
  const policiesOf = keptReads((tenantId) => findPolicies(pool, tenantId), now);

  /** At most about 2 s old. */
  async function policyOf(vm: WatchedVm): Promise<Policy | null> {
    return effectivePolicy({ vmId: vm.vmId, tags: vm.tags }, await policiesOf(vm.tenantId))?.policy ?? null;
  }

  return async ({ vm, results }, { deliveredSeq, healOpen, now: wasRequested }) => {
    const { health } = vm;
    const policy = await policyOf(vm);
    const wanted = policy !== null && !vm.stoppedOnPurpose && triggers(policy, health.consecutiveFailures);
    const healWanted = wanted && !healOpen;
    if (health.transitionSeq <= deliveredSeq && !healWanted && !wasRequested) return null;
    return {
      kind: 'health',
      seq: health.transitionSeq,
      status: health.status,
      line: lookLine(vm, results),
      healWanted,
      vm: { name: vm.name, tenantId: vm.tenantId, provider: vm.providerKind, host: vm.host },
    };
  };
}
