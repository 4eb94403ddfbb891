import { type Client, isGrpcServiceError, ServiceError, WorkflowNotFoundError } from '@temporalio/client';
import { CORE_TASK_QUEUE, vmWorkflowId } from '../domain/ids.ts';
import {
  type PauseRequest,
  type SettingsChanged,
  VM_SIGNAL,
  type VmHealthInput,
  WORKFLOW,
} from '../workflows/messages.ts';

/** Whether a workflow heard it. `not-found`: there is none; `unreachable`: perhaps it heard, perhaps not. */
export type Told = { ok: true } | { ok: false; reason: 'not-found' | 'unreachable'; message: string };

/** A VM as its workflow is started with. */
export type VmIdentity = Pick<VmHealthInput, 'vmId' | 'tenantId' | 'site'>;

/** What can be said to workflow `vm/<vmId>`. Nothing here throws because Temporal is away. */
export interface VmSignals {
  /** Settings were committed at `version`; starts the workflow when there is none. */
  announce(vm: VmIdentity & { version: number; lookSooner: boolean }): Promise<Told>;
  /** Look at every enabled check at once; starts the workflow when there is none. */
  lookNow(vm: VmIdentity): Promise<Told>;
  /** Stop looking and healing until `resume`; starts the workflow, paused, when there is none. */
  pause(vm: VmIdentity, reason: string): Promise<Told>;
  resume(vm: VmIdentity): Promise<Told>;
  /** The VM is deleted. */
  retire(vmId: string): Promise<Told>;
  /** The VM's heal attempts were reset. */
  attemptsReset(vmId: string): Promise<Told>;
  /** Whether Temporal answers within `deadlineMs`. */
  answers(deadlineMs: number): Promise<Told>;
}

/** Each call ends within `deadlineMs`; a client over `Connection.lazy` may be made while Temporal is away. */
export function createVmSignals(client: Client, deadlineMs = 3_000): VmSignals {
  function within(limitMs: number, call: () => Promise<unknown>): Promise<Told> {
    return client.withDeadline(Date.now() + limitMs, call).then((): Told => ({ ok: true }), told);
  }

  function tellOrStart(vm: VmIdentity, signal: string, signalArgs: unknown[]): Promise<Told> {
    const { vmId, tenantId, site } = vm;
    const input: VmHealthInput = { vmId, tenantId, site };
    return within(deadlineMs, () =>
      client.workflow.signalWithStart(WORKFLOW.vmHealth, {
        workflowId: vmWorkflowId(vmId),
        taskQueue: CORE_TASK_QUEUE,
        args: [input],
        signal,
        signalArgs,
      }),
    );
  }

  function tell(vmId: string, signal: string): Promise<Told> {
    return within(deadlineMs, () => client.workflow.getHandle(vmWorkflowId(vmId)).signal(signal));
  }

  return {
    announce(vm) {
      const { version, site, lookSooner } = vm;
      const change: SettingsChanged = { version, site, lookSooner };
      return tellOrStart(vm, VM_SIGNAL.settingsChanged, [change]);
    },
    lookNow: (vm) => tellOrStart(vm, VM_SIGNAL.lookNow, []),
    pause(vm, reason) {
      const request: PauseRequest = { reason };
      return tellOrStart(vm, VM_SIGNAL.pause, [request]);
    },
    resume: (vm) => tellOrStart(vm, VM_SIGNAL.resume, []),
    retire: (vmId) => tell(vmId, VM_SIGNAL.retire),
    attemptsReset: (vmId) => tell(vmId, VM_SIGNAL.attemptsReset),
    answers: (limitMs) =>
      within(limitMs, () => client.workflowService.describeNamespace({ namespace: client.options.namespace })),
  };
}

/** Only what Temporal or the way to it said is a value; our own mistakes are thrown. */
function told(error: unknown): Told {
  if (error instanceof WorkflowNotFoundError) return { ok: false, reason: 'not-found', message: error.message };
  if (error instanceof ServiceError || isGrpcServiceError(error)) {
    const cause = error instanceof ServiceError ? error.cause : error;
    return { ok: false, reason: 'unreachable', message: cause?.message ?? error.message };
  }
  throw error;
}
