import { AsyncLocalStorage } from 'node:async_hooks';
import type { ActivityOptions } from '@temporalio/common';
import { type Act, ActivityRun, type Queue } from './activity-run.ts';
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

  constructor(args: unknown[]) {
    super('continue as new');
    this.args = args;
  }
}

type Handler = (...args: unknown[]) => unknown;

interface Condition {
  isSo(): boolean;
  holds(): void;
}

/** What a run asks of the world around it. */
export interface Surroundings {
  clock: VirtualClock;
  act(name: string): Act;
  queue(taskQueue: string | undefined): Queue;
  /** After so many events a run is told to continue as new. */
  maxEvents: number;
  /** Told of what workflows show in the Web UI. */
  showsDetails(details: string): void;
  start(type: string, workflowId: string, args: unknown[]): boolean;
  signal(workflowId: string, name: string, args: unknown[]): boolean;
}

/** One run of a workflow: its handlers, conditions and activities. */
export class WorkflowRun {
  readonly memo: Record<string, unknown> = {};
  readonly searchAttributes: Record<string, unknown[]> = {};
  readonly world: Surroundings;
  #events = 0;
  #isOver = false;
  #isPoked = false;
  readonly #handlers = new Map<string, Handler>();
  #unhandled: { name: string; args: unknown[] }[] = [];
  #conditions: Condition[] = [];
  readonly #activities = new Set<ActivityRun>();

  constructor(world: Surroundings) {
    this.world = world;
  }

  /** Runs the workflow to its end. */
  async live(workflow: (...args: unknown[]) => Promise<unknown>, args: unknown[]): Promise<unknown> {
    try {
      return await place.run({ run: this, scope: null }, () => workflow(...structuredClone(args)));
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
    const handler = this.#handlers.get(name);
    if (handler === undefined) this.#unhandled.push({ name, args });
    else this.event(() => void place.run({ run: this, scope: null }, () => handler(...structuredClone(args))));
  }

  handle(name: string, handler: Handler): void {
    this.#handlers.set(name, handler);
    const waiting = this.#unhandled.filter((one) => one.name === name);
    this.#unhandled = this.#unhandled.filter((one) => one.name !== name);
    for (const { args } of waiting) this.receive(name, args);
  }

  /** Something has happened: what waits for it goes on. */
  event(happen: () => void): void {
    if (this.#isOver) return;
    this.#events++;
    happen();
    this.#poke();
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
        this.event(() => {
          this.#conditions = this.#conditions.filter((other) => other !== condition);
          resolve(false);
        });
      const stop = timeoutMs === undefined ? () => undefined : this.world.clock.after(timeoutMs, tooLate);
    });
  }

  activity(name: string, input: unknown, options: ActivityOptions, scope: Scope | null): Promise<unknown> {
    const { clock } = this.world;
    this.#events++;
    return new Promise((resolve, reject) => {
      const settled = {
        resolve: (value: unknown) => this.event(() => resolve(structuredClone(value))),
        reject: (error: unknown) => this.event(() => reject(error as Error)),
      };
      const called = { name, act: this.world.act(name), input: structuredClone(input), options };
      const activity = new ActivityRun(clock, this.world.queue(options.taskQueue), called, settled);
      this.#activities.add(activity);
      scope?.cancels.push(() => activity.cancel());
    });
  }

  /** As the SDK does, once all that could go on by itself has done so. */
  #poke(): void {
    if (this.#isPoked) return;
    this.#isPoked = true;
    void this.world.clock.during(async () => {
      await new Promise((resolve) => setImmediate(resolve));
      this.#isPoked = false;
      if (this.#isOver) return;
      const met = this.#conditions.find((condition) => place.run({ run: this, scope: null }, condition.isSo));
      if (met === undefined) return;
      this.#conditions = this.#conditions.filter((other) => other !== met);
      met.holds();
      this.#poke();
    });
  }
}
