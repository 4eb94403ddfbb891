import { AsyncLocalStorage } from 'node:async_hooks';
import { CancelledFailure } from '@temporalio/common';
import type { ActivityOptions } from '@temporalio/workflow';
import { type Act, ActivityRun, type Queue } from './activity-run.ts';
import { converted } from './converted.ts';
import type { Gate } from './gate.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** Where code of a workflow is: in which run, and in which cancellation scope of it. */
export interface Place {
  run: WorkflowRun;
  scope: Scope | null;
}

/** What a cancellation scope cancels. */
export interface Scope {
  cancels: (() => void)[];
}

export const place = new AsyncLocalStorage<Place>();

/** The run whose code calls. @throws Error outside of workflows */
export function here(): Place {
  const found = place.getStore();
  if (found === undefined) throw new Error('not in a workflow');
  return found;
}

/** Thrown by `continueAsNew`. */
export class ContinueAsNew extends Error {
  readonly args: unknown[];
  readonly memo: Record<string, unknown>;

  constructor(args: unknown[], memo: Record<string, unknown>) {
    super('continue as new');
    this.args = args;
    this.memo = memo;
  }
}

type Handler = (...args: unknown[]) => unknown;

/** What lists show of a run from its beginning. */
export interface Shown {
  memo: Record<string, unknown>;
  searchAttributes: Record<string, unknown[]>;
}

interface Signal {
  name: string;
  args: unknown[];
}

interface Condition {
  isSo(): boolean;
  holds(): void;
}

/** What a run asks of the world around it. */
export interface Surroundings {
  clock: VirtualClock;
  act(name: string): Act;
  queue(taskQueue: string | undefined): Queue;
  /** Open while the workers of workflows reach the server. */
  reached: Gate;
  /** After so many events a run is told to continue as new. */
  maxEvents: number;
  /** Told of what never happens to sound code: on a server the workflow stands still from then on. */
  taskFailed(error: unknown): void;
  /** Told of what workflows show in the Web UI. */
  showsDetails(details: string): void;
  start(type: string, workflowId: string, args: unknown[], shown?: Shown): boolean;
  signal(workflowId: string, name: string, args: unknown[]): boolean;
}

/**
 * One run of a workflow: its handlers, conditions and activities. One file, for what a workflow may wait for, and what wakes or cancels
 * it, is one state.
 */
export class WorkflowRun {
  readonly memo: Record<string, unknown> = {};
  readonly searchAttributes: Record<string, unknown[]> = {};
  readonly world: Surroundings;
  /** What it shows in the Web UI. */
  details = '';
  #events = 0;
  #isOver = false;
  #isPoked = false;
  /** Set once it continues as new: what arrives from then on is for the next run. */
  #forNext: Signal[] | null = null;
  readonly #handlers = new Map<string, Handler>();
  #handlesOthers: ((name: string) => void) | null = null;
  #cancels: () => void = () => undefined;
  /** Rejects when a person cancels it. */
  readonly cancelRequested: Promise<never> = new Promise((_resolve, reject) => {
    this.#cancels = () => reject(new CancelledFailure('Workflow canceled'));
  });
  #unhandled: Signal[] = [];
  #conditions: Condition[] = [];
  readonly #activities = new Set<ActivityRun>();
  /** Ids of those that are not over. */
  readonly #pendingIds = new Set<string>();

  constructor(world: Surroundings) {
    this.world = world;
    this.cancelRequested.catch(() => undefined);
  }

  /** Runs the workflow to its end. */
  async live(workflow: (...args: unknown[]) => Promise<unknown>, args: unknown[]): Promise<unknown> {
    try {
      return await place.run({ run: this, scope: null }, () => workflow(...converted(args)));
    } finally {
      this.end();
    }
  }

  /** Nothing of it happens any more. */
  end(): void {
    this.#isOver = true;
    for (const activity of this.#activities) activity.abandon();
  }

  get mustContinueAsNew(): boolean {
    return this.#events >= this.world.maxEvents;
  }

  receive(name: string, args: unknown[]): void {
    this.#happens(() => this.#handleSignal({ name, args }));
  }

  #handleSignal(signal: Signal): void {
    if (this.#forNext !== null) {
      this.#forNext.push(signal);
      return;
    }
    const others = this.#handlesOthers;
    const handler = this.#handlers.get(signal.name) ?? (others === null ? undefined : () => others(signal.name));
    if (handler === undefined) this.#unhandled.push(signal);
    else this.event(() => void place.run({ run: this, scope: null }, () => handler(...converted(signal.args))));
  }

  /** Nothing that arrives is for this run any more. @throws ContinueAsNew */
  continueAsNew(args: unknown[], memo: Record<string, unknown> = {}): never {
    this.#forNext = [];
    throw new ContinueAsNew(args, memo);
  }

  /** Hands on what arrived too late for this run, and is not lost. */
  handOnTo(next: WorkflowRun): void {
    for (const { name, args } of this.#forNext ?? []) next.receive(name, args);
  }

  /** What the server tells of arrives when its worker reaches the server. */
  #happens(happen: () => void): void {
    this.world.reached.whenOpen(happen);
  }

  handle(name: string, handler: Handler): void {
    this.#handlers.set(name, handler);
    const waiting = this.#unhandled.filter((one) => one.name === name);
    this.#unhandled = this.#unhandled.filter((one) => one.name !== name);
    for (const signal of waiting) this.#handleSignal(signal);
  }

  /** Handles the signals for which there is no handler. */
  handleOthers(handler: (name: string) => void): void {
    this.#handlesOthers = handler;
    const waiting = this.#unhandled;
    this.#unhandled = [];
    for (const signal of waiting) this.#handleSignal(signal);
  }

  cancel(): void {
    this.#happens(() => this.event(() => place.run({ run: this, scope: null }, () => this.#cancels())));
  }

  /** What a handler of a query answers. */
  query(name: string): unknown {
    if (name === '__temporal_workflow_metadata') return { currentDetails: this.details };
    return this.#handlers.get(name)?.();
  }

  /** Something has happened: what waits for it goes on. */
  event(happen: () => void): void {
    if (this.#isOver) return;
    this.#events++;
    try {
      happen();
    } catch (error) {
      this.fail(error);
    }
    this.#poke();
  }

  /** As after a failed task, which the server has tried again for ever. */
  fail(error: unknown): void {
    this.world.taskFailed(error);
    this.end();
  }

  /** Has the server do something at the end of this task; what came of it is another event. */
  command<T>(ask: () => T): Promise<T> {
    this.#events++;
    return new Promise((resolve) => {
      void this.world.clock.during(async () => {
        await turn();
        this.#happens(() => {
          if (this.#isOver) return;
          const answer = ask();
          void this.world.clock.during(async () => {
            await turn();
            this.#happens(() => this.event(() => resolve(answer)));
          });
        });
      });
    });
  }

  async condition(isSo: () => boolean, timeoutMs: number | undefined): Promise<boolean> {
    if (isSo()) return true;
    return new Promise((resolve) => {
      const condition: Condition = {
        isSo,
        holds: () => {
          stop();
          resolve(true);
        },
      };
      this.#conditions.push(condition);
      const tooLate = () =>
        this.#happens(() =>
          this.event(() => {
            this.#conditions = this.#conditions.filter((other) => other !== condition);
            resolve(false);
          }),
        );
      const stop = timeoutMs === undefined ? () => undefined : this.world.clock.after(timeoutMs, tooLate);
    });
  }

  activity(name: string, input: unknown, options: ActivityOptions, scope: Scope | null): Promise<unknown> {
    const { clock } = this.world;
    const { activityId } = options;
    this.#events++;
    if (activityId !== undefined) this.#claim(activityId);
    return new Promise((resolve, reject) => {
      if (this.#isOver) return;
      const ends = (end: () => void) => {
        // the server knows at once, the workflow when it is told
        if (activityId !== undefined) this.#pendingIds.delete(activityId);
        this.#happens(() => this.event(end));
      };
      const settled = {
        resolve: (value: unknown) => ends(() => resolve(converted(value))),
        reject: (error: unknown) => ends(() => reject(error as Error)),
      };
      const called = { name, act: this.world.act(name), input: converted(input), options };
      const activity = new ActivityRun(clock, this.world.queue(options.taskQueue), called, settled);
      this.#activities.add(activity);
      scope?.cancels.push(() => this.#cancel(activity, options));
    });
  }

  #claim(activityId: string): void {
    if (this.#pendingIds.has(activityId)) this.fail(new Error(`two activities of one id: ${activityId}`));
    this.#pendingIds.add(activityId);
  }

  #cancel(activity: ActivityRun, { cancellationType }: ActivityOptions): void {
    if (cancellationType === WAITS) activity.cancel();
    else this.fail(new Error(`not simulated: a cancellation of type ${cancellationType}`));
  }

  /** As the SDK does, once all that could go on by itself has done so. */
  #poke(): void {
    if (this.#isPoked) return;
    this.#isPoked = true;
    void this.world.clock.during(async () => {
      await turn();
      this.#isPoked = false;
      if (this.#isOver) return;
      const met = this.#conditions.find((condition) => this.#holds(condition));
      if (met === undefined) return;
      this.#conditions = this.#conditions.filter((other) => other !== met);
      met.holds();
      this.#poke();
    });
  }

  #holds({ isSo }: Condition): boolean {
    try {
      return place.run({ run: this, scope: null }, isSo);
    } catch (error) {
      this.fail(error);
      return false;
    }
  }
}

const WAITS = 'WAIT_CANCELLATION_COMPLETED';

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
