import type { Database } from '../db/database.ts';
import { databaseTrouble } from '../db/database-trouble.ts';
import { findApplicablePolicies } from '../db/policies/find-policies.ts';
import { failingIn, failuresOf } from '../domain/evidence.ts';
import { lookLine } from '../domain/look.ts';
import { effectivePolicy } from '../domain/policy.ts';
import type { WatchedVm } from '../domain/watched.ts';
import type { LookInput, LookNews } from './contract.ts';
import type { LookOutcome } from './look/look.ts';
import { groupedReads } from './look/shared-reads.ts';

/** What of a look is news to the VM's workflow; null when nothing is. */
export type NewsOf = (
  looked: LookOutcome & { kind: 'looked' },
  known: Pick<LookInput, 'deliveredSeq' | 'healOpen' | 'now' | 'paused' | 'name'>,
) => Promise<LookNews | null>;

/** Level-triggered: whatever has not been delivered to the workflow is news, whichever look found it. */
export function createNews(pool: Database['pool']): NewsOf {
  const policiesOf = groupedReads((vmIds) => findApplicablePolicies(pool, vmIds));

  /** Whether a policy wants it healed. A VM without failures triggers none, and most looks are at such VMs. */
  async function isHealWanted(vm: WatchedVm): Promise<boolean> {
    const { vmId, tags, stoppedOnPurpose, paused, health } = vm;
    if (stoppedOnPurpose || paused !== null || health.consecutiveFailures === 0) return false;
    // level-triggered: while Postgres is away nothing is healed, and the next look asks again
    const policies = await policiesOf(vmId).catch(noneWhileAway);
    const effective = effectivePolicy({ vmId, tags }, policies ?? []);
    return effective !== null && failingIn({ checks: vm.checks.map(failuresOf) }, effective.policy).length > 0;
  }

  return async ({ vm, results }, { deliveredSeq, healOpen, now: wasRequested, paused, name }) => {
    const { health } = vm;
    if (vm.paused !== null && paused !== undefined) return { kind: 'paused', reason: vm.paused.reason };
    const healWanted = !healOpen && (await isHealWanted(vm));
    // a smaller number is news too: a restored database, or a fail-over, has lost what was delivered
    const isRenamed = name !== undefined && name !== vm.name;
    if (health.transitionSeq === deliveredSeq && !healWanted && !wasRequested && !paused && !isRenamed) return null;
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

function noneWhileAway(error: unknown): null {
  if (databaseTrouble(error) === null) throw error;
  return null;
}
