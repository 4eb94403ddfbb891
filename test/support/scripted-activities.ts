import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import type { Activities, LookInput, LookNews } from '../../activities/contract.ts';
import { STEADY } from '../../activities/steady.ts';

const notAsked = async (): Promise<never> => {
  throw new Error('not asked here');
};

/** Activities that a test's workflows should not ask for; the test replaces those it scripts. */
export const NOT_ASKED: Activities = {
  watch: notAsked,
  storePause: notAsked,
  openIncident: notAsked,
  askProvider: notAsked,
  callProvider: notAsked,
  decide: notAsked,
  carryOut: notAsked,
  readBack: notAsked,
  resolveOperation: notAsked,
  verify: notAsked,
  applyRetention: notAsked,
  reconcile: notAsked,
};

/** A provider that says of every VM that it runs. */
export const VM_RUNS: Pick<Activities, 'askProvider'> = {
  askProvider: async () => ({ site: 'main', fact: { answered: true, power: 'running', detail: 'running' } }),
};

/** What a look found of a VM's health. */
export const health = (seq: number, status: string, healWanted = false, name = 'vm'): LookNews => ({
  kind: 'health',
  seq,
  status,
  line: status,
  healWanted,
  vm: { name, tenantId: 'default', provider: 'none', host: null },
});

/** Ends a look without news, as `watch` does; the next one is due after this delay. */
export function steady(nextRetryDelay: '1 hour' | '1 minute' | '50 milliseconds' | number): never {
  throw ApplicationFailure.create({
    type: STEADY,
    message: 'healthy · http 200 1 ms',
    category: ApplicationFailureCategory.BENIGN,
    nextRetryDelay,
  });
}

/** What a test scripts for one VM, and what its workflow asked for. */
export interface WatchedScript {
  isWatched(vmId: string): boolean;
  onLook(input: LookInput): LookNews | Promise<LookNews>;
  /** Answers the incident's number; null for a VM that is paused. */
  onOpen(): number | null;
  /** What is stored of a pause: its reason, or null for its end. */
  onStorePause?(reason: string | null): void | Promise<void>;
  onDecide(incident: number): void;
}

/** Looks and decisions of one VM as a test scripts them; workflows of other tests are sent away. Every heal holds for a day. */
export function watchedActivities(script: WatchedScript): Activities {
  return {
    ...NOT_ASKED,
    ...VM_RUNS,
    async watch(input) {
      return script.isWatched(input.vmId) ? script.onLook(input) : { kind: 'gone', deleted: true };
    },
    storePause: async ({ reason }) => script.onStorePause?.(reason),
    openIncident: async () => ({ incident: script.onOpen() }),
    async decide({ vmId, incident }) {
      if (!script.isWatched(vmId)) return { kind: 'close', reason: 'vm-deleted', line: 'over' };
      script.onDecide(incident);
      return { kind: 'hold', reason: 'cooldown', lookAgainInMs: 86_400_000, line: 'holds' };
    },
  };
}
