import { randomUUID } from 'node:crypto';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import type { LookInput, LookNews } from '../../activities/contract.ts';
import { CORE_TASK_QUEUE, vmWorkflowId } from '../../domain/ids.ts';
import { until } from '../../local/until.ts';
import type { vmHealth } from '../../workflows/index.ts';
import { type VmHealthInput, type VmView, vmQueries, vmSignals, WORKFLOW } from '../../workflows/messages.ts';
import { type OwnTemporal, startOwnTemporal, startWorkersOn } from '../support/real-world.ts';
import { steady, watchedActivities } from '../support/scripted-activities.ts';

export type VmHandle = WorkflowHandle<typeof vmHealth>;

/** The VM of one test: what its world answers, and what its workflow asked for. */
export interface ScriptedVm {
  id: string;
  looks: LookInput[];
  /** How often an incident was asked for. */
  opened: number;
  /** How often its heal decided. */
  decided: number;
  /** The reasons of pauses that were stored; null for an end. */
  stored: (string | null)[];
  onLook(input: LookInput, count: number): LookNews | Promise<LookNews>;
  /** The number of its incident; null for a paused VM. */
  onOpen(): number | null;
  onStorePause(): void | Promise<void>;
}

const fresh = (): ScriptedVm => ({
  id: randomUUID(),
  looks: [],
  opened: 0,
  decided: 0,
  stored: [],
  onLook: () => steady('1 hour'),
  onOpen: () => 1,
  onStorePause: () => undefined,
});

/** Runs the real workflows on a real server for the `describe` around it, with one scripted VM a test. */
export function useScriptedVm() {
  let temporal: OwnTemporal;
  let stopWorkers: () => Promise<void>;
  const vm = fresh();
  beforeEach(() => void Object.assign(vm, fresh()));

  beforeAll(async () => {
    temporal = await startOwnTemporal();
    const activities = watchedActivities({
      // activities of other tests' workflows don't count
      isWatched: (vmId) => vmId === vm.id,
      onLook(input) {
        vm.looks.push(input);
        return vm.onLook(input, vm.looks.length);
      },
      onOpen() {
        vm.opened++;
        return vm.onOpen();
      },
      onStorePause(reason) {
        vm.stored.push(reason);
        return vm.onStorePause();
      },
      onDecide: () => void vm.decided++,
    });
    stopWorkers = await startWorkersOn(temporal, activities);
  }, 60_000);

  afterAll(async () => {
    await stopWorkers?.();
    await temporal?.stop();
  });

  async function admit(more: Partial<VmHealthInput> = {}): Promise<VmHandle & { firstRunId: string }> {
    const started = await temporal.client.workflow.start<typeof vmHealth>(WORKFLOW.vmHealth, {
      workflowId: vmWorkflowId(vm.id),
      taskQueue: CORE_TASK_QUEUE,
      args: [{ vmId: vm.id, tenantId: 'default', site: 'main', ...more }],
    });
    const handle = temporal.client.workflow.getHandle<typeof vmHealth>(vmWorkflowId(vm.id));
    return { ...handle, firstRunId: started.firstExecutionRunId };
  }

  /** Its first look runs until `release`, and then ends so; later looks are quiet. */
  async function admitWithRunningLook(end: () => LookNews) {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    vm.onLook = async (_input, count) => {
      if (count > 1) steady('1 hour');
      await held;
      return end();
    };
    const handle = await admit();
    await until(() => vm.looks.length > 0);
    return { handle, release };
  }

  const view = (handle: VmHandle): Promise<VmView> => handle.query<VmView>(vmQueries.state);
  const runIdOf = async (handle: VmHandle): Promise<string> => (await handle.describe()).runId;

  return {
    vm,
    admit,
    admitWithRunningLook,
    view,
    client: (): Client => temporal.client,

    /** What the Web UI shows of it. */
    async details(handle: VmHandle): Promise<string> {
      return (await handle.query<{ currentDetails: string }>('__temporal_workflow_metadata')).currentDetails;
    },

    /** Resolves once it runs on as a new run. */
    async newRun(handle: VmHandle & { firstRunId: string }): Promise<void> {
      await until(async () => (await runIdOf(handle)) !== handle.firstRunId);
    },

    async retire(handle: VmHandle): Promise<void> {
      await handle.signal(vmSignals.retire);
      await handle.result();
    },
  };
}
