import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { type SignalDefinition, TemporalFailure, WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { CORE_TASK_QUEUE } from '../../../domain/ids.ts';
import * as workflows from '../../../workflows/index.ts';
import type { Act } from './activity-run.ts';
import { Gate } from './gate.ts';
import type { VirtualClock } from './virtual-clock.ts';
import { ContinueAsNew, type Shown, type Surroundings, WorkflowRun } from './workflow-run.ts';

interface Execution {
  workflowId: string;
  type: string;
  status: 'RUNNING' | 'COMPLETED' | 'FAILED' | 'TERMINATED';
  startedAtMs: number;
  /** Of its last run; null while it runs. */
  closedAtMs: number | null;
  run: WorkflowRun;
}

type Workflow = (...args: unknown[]) => Promise<unknown>;

/**
 * Runs workflows in this process and in virtual time, with what they need of a Temporal server: workflow ids, signals, activities
 * with their retries and timeouts, continue-as-new. Their module `@temporalio/workflow` has to be workflow-api.ts.
 */
export class WorkflowRuntime {
  /** Workflows that failed, and why; and looks that ended in a way that is never expected. */
  readonly failures: string[] = [];
  readonly #executions = new Map<string, Execution>();
  readonly #surroundings: Surroundings;
  /** Open while workers of sites take what waits for them. */
  readonly #manned = new Gate();
  /** Open while workers reach the server. */
  readonly #reached = new Gate();

  constructor(clock: VirtualClock, act: (name: string) => Act, maxEvents: number) {
    const reached = this.#reached;
    const core = { manned: new Gate(), reached };
    const site = { manned: this.#manned, reached };
    this.#surroundings = {
      clock,
      maxEvents,
      act,
      reached,
      queue: (taskQueue = CORE_TASK_QUEUE) => (taskQueue === CORE_TASK_QUEUE ? core : site),
      taskFailed: (error) => void this.failures.push(`a task of a workflow failed: ${textOf(error)}`),
      showsDetails: (details) => {
        if (/look failed: /.test(details)) this.failures.push(details);
      },
      start: (type, workflowId, args, shown) => this.#start(type, workflowId, args, shown),
      signal: (workflowId, name, args) => this.#signal(workflowId, name, args),
    };
  }

  /** Whether workers of sites take what waits for them. */
  set isManned(isManned: boolean) {
    this.#manned.isOpen = isManned;
  }

  /**
   * Whether workers reach the server. While they don't, no attempt begins, no answer arrives and no workflow goes on, but the
   * server's time passes.
   */
  set isReached(isReached: boolean) {
    this.#reached.isOpen = isReached;
  }

  /** What Defib calls of Temporal's client. */
  readonly client: Client = {
    options: { namespace: 'default' },
    withDeadline: async (_deadline: unknown, call: () => Promise<unknown>) => call(),
    workflowService: { describeNamespace: async () => ({}) },
    workflow: {
      start: async (type: string, { workflowId, args }: { workflowId: string; args: unknown[] }) => {
        if (!this.#start(type, workflowId, args)) {
          throw new WorkflowExecutionAlreadyStartedError('Workflow execution already started', workflowId, type);
        }
      },
      signalWithStart: async (type: string, options: SignalWithStart) => {
        const { memo } = options;
        this.#start(type, options.workflowId, options.args, memo === undefined ? {} : { memo });
        this.#signal(options.workflowId, options.signal, options.signalArgs);
      },
      getHandle: (workflowId: string) => ({
        signal: async (signal: SignalDefinition | string, ...args: unknown[]) => {
          const name = typeof signal === 'string' ? signal : signal.name;
          if (!this.#signal(workflowId, name, args)) throw notFound(workflowId);
        },
        terminate: async () => this.#terminate(workflowId),
        cancel: async () => this.#cancel(workflowId),
        describe: async () => this.#describe(workflowId),
        query: async (query: { name: string } | string) =>
          this.#query(workflowId, typeof query === 'string' ? query : query.name),
      }),
      count: async (query: string) => ({ count: this.#find(query).length }),
      list: ({ query }: { query: string }) => this.#find(query),
    },
  } as unknown as Client;

  #start(type: string, workflowId: string, args: unknown[], shown: Partial<Shown> = {}): boolean {
    if (this.#executions.get(workflowId)?.status === 'RUNNING') return false;
    const { clock } = this.#surroundings;
    const run = new WorkflowRun(this.#surroundings);
    Object.assign(run.memo, shown.memo);
    Object.assign(run.searchAttributes, shown.searchAttributes);
    const execution: Execution = {
      workflowId,
      type,
      status: 'RUNNING',
      startedAtMs: clock.nowMs,
      closedAtMs: null,
      run,
    };
    this.#executions.set(workflowId, execution);
    this.#reached.whenOpen(() => {
      if (execution.status === 'RUNNING') void this.#live(execution, args);
    });
    return true;
  }

  async #live(execution: Execution, args: unknown[]): Promise<void> {
    const { type, workflowId } = execution;
    try {
      await execution.run.live((workflows as unknown as Record<string, Workflow>)[type]!, args);
      this.#close(execution, 'COMPLETED');
    } catch (error) {
      if (execution.status === 'TERMINATED') return;
      if (error instanceof ContinueAsNew) return this.#liveOn(execution, error);
      // what the SDK does not know fails the task, and the workflow stands still
      if (error instanceof TemporalFailure) this.#close(execution, 'FAILED');
      this.failures.push(`workflow ${workflowId} failed: ${textOf(error)}`);
    }
  }

  async #liveOn(execution: Execution, { args, memo }: ContinueAsNew): Promise<void> {
    const before = execution.run;
    execution.run = new WorkflowRun(this.#surroundings);
    Object.assign(execution.run.memo, memo);
    Object.assign(execution.run.searchAttributes, before.searchAttributes);
    const lived = this.#live(execution, args);
    before.handOnTo(execution.run);
    return lived;
  }

  #signal(workflowId: string, name: string, args: unknown[]): boolean {
    const execution = this.#executions.get(workflowId);
    if (execution?.status !== 'RUNNING') return false;
    execution.run.receive(name, args);
    return true;
  }

  #terminate(workflowId: string): void {
    const execution = this.#executions.get(workflowId);
    if (execution?.status !== 'RUNNING') throw notFound(workflowId);
    this.#close(execution, 'TERMINATED');
    execution.run.end();
  }

  #cancel(workflowId: string): void {
    const execution = this.#executions.get(workflowId);
    if (execution?.status !== 'RUNNING') throw notFound(workflowId);
    execution.run.cancel();
  }

  #close(execution: Execution, status: 'COMPLETED' | 'FAILED' | 'TERMINATED'): void {
    execution.status = status;
    execution.closedAtMs = this.#surroundings.clock.nowMs;
  }

  #describe(workflowId: string): object {
    const execution = this.#executions.get(workflowId);
    if (execution === undefined) throw notFound(workflowId);
    const { memo, searchAttributes } = execution.run;
    return { status: { name: execution.status }, memo, searchAttributes, raw: {} };
  }

  #query(workflowId: string, name: string): unknown {
    const execution = this.#executions.get(workflowId);
    if (execution === undefined) throw notFound(workflowId);
    return execution.run.query(name);
  }

  /** As the two queries that Defib makes: those of a type that run and were started before, or that were closed after. */
  #find(query: string): Execution[] {
    const [, type, what, time] = /WorkflowType='(\w+)'.*(StartTime <|CloseTime >) '([^']+)'/.exec(query)!;
    const atMs = Date.parse(time!);
    const isFound = ({ status, startedAtMs, closedAtMs }: Execution) =>
      what === 'StartTime <' ? status === 'RUNNING' && startedAtMs < atMs : closedAtMs !== null && closedAtMs > atMs;
    return [...this.#executions.values()].filter((one) => one.type === type && isFound(one));
  }
}

interface SignalWithStart {
  workflowId: string;
  args: unknown[];
  memo?: Record<string, unknown>;
  signal: string;
  signalArgs: unknown[];
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function notFound(workflowId: string): WorkflowNotFoundError {
  return new WorkflowNotFoundError('workflow not found', workflowId, undefined);
}
