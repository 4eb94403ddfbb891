import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import type { ActivityOptions, SignalDefinition } from '@temporalio/workflow';
import { converted } from './converted.ts';
import { inMs } from './duration.ts';
import { here, place, type Scope } from './workflow-run.ts';

/*
 * Stands for the package `@temporalio/workflow` while workflows run in this process, on `WorkflowRuntime`: what they call of it,
 * with the same meaning.
 */

export class CancellationScope implements Scope {
  readonly cancels: (() => void)[] = [];

  run<T>(work: () => Promise<T>): Promise<T> {
    return place.run({ ...here(), scope: this }, work);
  }

  cancel(): void {
    for (const cancel of this.cancels) cancel();
  }

  /** The scope of the run itself: only its request to be cancelled is simulated, because no workflow of ours ends by it. */
  static current(): { cancelRequested: Promise<never> } {
    return { cancelRequested: here().run.cancelRequested };
  }

  static nonCancellable<T>(work: () => Promise<T>): Promise<T> {
    return work();
  }
}

export function proxyActivities(options: ActivityOptions): unknown {
  const call = (name: string) => (input: unknown) => {
    const { run, scope } = here();
    return run.activity(name, input, options, scope);
  };
  return new Proxy({}, { get: (_target, name) => call(String(name)) });
}

export function condition(isSo: () => boolean, timeout?: string | number): Promise<boolean> {
  return here().run.condition(isSo, inMs(timeout));
}

export function setHandler({ name }: { name: string }, handler: (...args: unknown[]) => unknown): void {
  here().run.handle(name, handler);
}

export function setDefaultSignalHandler(handler: (name: string) => void): void {
  here().run.handleOthers(handler);
}

interface ChildOptions {
  workflowId: string;
  args: unknown[];
  parentClosePolicy?: string;
  memo?: Record<string, unknown>;
  typedSearchAttributes?: Attribute[];
}

interface Attribute {
  key: { name: string };
  value: unknown;
}

export async function startChild(type: string, options: ChildOptions): Promise<object> {
  const { workflowId, args, parentClosePolicy, memo = {}, typedSearchAttributes = [] } = options;
  const shown = { memo: converted(memo), searchAttributes: attributesOf(typedSearchAttributes) };
  const { run } = here();
  if (parentClosePolicy !== 'ABANDON') run.fail(new Error(`not simulated: children that end with their parent`));
  if (!(await run.command(() => run.world.start(type, workflowId, args, shown)))) {
    throw new WorkflowExecutionAlreadyStartedError('Workflow execution already started', workflowId, type);
  }
  return { workflowId };
}

export function getExternalWorkflowHandle(workflowId: string) {
  const { run } = here();
  return {
    async signal({ name }: SignalDefinition, ...args: unknown[]): Promise<void> {
      if (!(await run.command(() => run.world.signal(workflowId, name, args)))) {
        throw new Error('external workflow execution not found');
      }
    },
  };
}

function attributesOf(pairs: Attribute[]): Record<string, unknown[]> {
  return Object.fromEntries(pairs.map(({ key, value }) => [key.name, [converted(value)]]));
}

export async function continueAsNew(...args: unknown[]): Promise<never> {
  return here().run.continueAsNew(args);
}

export function makeContinueAsNewFunc({ memo = {} }: { memo?: Record<string, unknown> } = {}) {
  return async (...args: unknown[]): Promise<never> => here().run.continueAsNew(args, converted(memo));
}

export function workflowInfo(): { continueAsNewSuggested: boolean } {
  return { continueAsNewSuggested: here().run.mustContinueAsNew };
}

export function upsertMemo(memo: Record<string, unknown>): void {
  Object.assign(here().run.memo, converted(memo));
}

export function upsertSearchAttributes(pairs: Attribute[]): void {
  Object.assign(here().run.searchAttributes, attributesOf(pairs));
}

export function setCurrentDetails(details: string): void {
  const { run } = here();
  run.details = details;
  run.world.showsDetails(details);
}

export const patched = (): boolean => true;
/** No handler of ours takes time, but for updates, which nobody makes here. */
export const allHandlersFinished = (): boolean => true;
export const setWorkflowOptions = (): void => undefined;
const silent = (): void => undefined;
export const log = { trace: silent, debug: silent, info: silent, warn: silent, error: silent };
