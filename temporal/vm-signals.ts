import { type Client, isGrpcServiceError, ServiceError, WorkflowNotFoundError } from '@temporalio/client';
import type { SignalDefinition } from '@temporalio/common';
import { CORE_TASK_QUEUE, vmWorkflowId } from '../domain/ids.ts';
import { vmSummary } from '../domain/summaries.ts';
import { type VmHealthInput, vmSignals, WORKFLOW } from '../workflows/messages.ts';
import { type Circuit, TemporalAway } from './circuit.ts';

/** Whether a message was delivered. `not-found`: there is no such workflow; `unreachable`: perhaps it was, perhaps not. */
export type Delivery = { ok: true } | { ok: false; reason: 'not-found' | 'unreachable'; message: string };

/** A VM as its workflow is started with. */
export type VmIdentity = Pick<VmHealthInput, 'vmId' | 'tenantId' | 'site' | 'name'>;

/** What can be said to workflow `vm/<vmId>`. Nothing here throws because Temporal is away. */
export interface VmSignals {
  /** Settings were committed at `version`; starts the workflow when there is none. */
  announce(vm: VmIdentity & { version: number; lookSooner: boolean }): Promise<Delivery>;
  /** Look at every enabled check at once; starts the workflow when there is none. */
  lookNow(vm: VmIdentity): Promise<Delivery>;
  /** The VM is deleted. */
  retire(vmId: string): Promise<Delivery>;
  /** The VM's heal attempts were reset. */
  attemptsReset(vmId: string): Promise<Delivery>;
  /** Whether Temporal is known not to answer. */
  readonly isAway: boolean;
  /** Whether Temporal answers within `deadlineMs`. */
  answers(deadlineMs: number): Promise<Delivery>;
}

/**
 * Each call ends within `deadlineMs`, and at once while Temporal is known to be away; a client over `Connection.lazy` may be made
 * while it is.
 */
export function createVmSignals(client: Client, circuit: Circuit, deadlineMs = 3_000): VmSignals {
  function within(limitMs: number, call: () => Promise<unknown>): Promise<Delivery> {
    const made = circuit.attempt(() => client.withDeadline(Date.now() + limitMs, call));
    return made.then((): Delivery => ({ ok: true }), undelivered);
  }

  function signalOrStart<Args extends unknown[]>(
    vm: VmIdentity,
    signal: SignalDefinition<Args>,
    ...signalArgs: Args
  ): Promise<Delivery> {
    const { vmId, tenantId, site, name } = vm;
    const input: VmHealthInput = { vmId, tenantId, site, ...(name === undefined ? {} : { name }) };
    // no search attributes: a worker has to have registered them before, and this may be asked earlier
    const shown = name === undefined ? {} : { staticSummary: vmSummary(name), memo: { VmName: name } };
    return within(deadlineMs, () =>
      client.workflow.signalWithStart(WORKFLOW.vmHealth, {
        workflowId: vmWorkflowId(vmId),
        taskQueue: CORE_TASK_QUEUE,
        args: [input],
        ...shown,
        signal: signal.name,
        signalArgs: signalArgs as unknown[],
      }),
    );
  }

  function signalRunning(vmId: string, signal: SignalDefinition<[]>): Promise<Delivery> {
    return within(deadlineMs, () => client.workflow.getHandle(vmWorkflowId(vmId)).signal(signal));
  }

  return {
    get isAway() {
      return circuit.isAway;
    },
    announce: ({ version, lookSooner, ...vm }) =>
      signalOrStart(vm, vmSignals.settingsChanged, { version, site: vm.site, lookSooner }),
    lookNow: (vm) => signalOrStart(vm, vmSignals.lookNow),
    retire: (vmId) => signalRunning(vmId, vmSignals.retire),
    attemptsReset: (vmId) => signalRunning(vmId, vmSignals.attemptsReset),
    answers: (limitMs) =>
      within(limitMs, () => client.workflowService.describeNamespace({ namespace: client.options.namespace })),
  };
}

/** Errors of Temporal or the network become values; all others are thrown. */
function undelivered(error: unknown): Delivery {
  if (error instanceof WorkflowNotFoundError) return { ok: false, reason: 'not-found', message: error.message };
  if (error instanceof TemporalAway) return { ok: false, reason: 'unreachable', message: error.message };
  if (error instanceof ServiceError || isGrpcServiceError(error)) {
    const cause = error instanceof ServiceError ? error.cause : error;
    return { ok: false, reason: 'unreachable', message: cause?.message ?? error.message };
  }
  throw error;
}
