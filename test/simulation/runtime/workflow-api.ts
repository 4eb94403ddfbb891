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

interface ChildOptions {
  workflowId: string;
  args: unknown[];
  parentClosePolicy?: string;
}

export async function startChild(type: string, options: ChildOptions): Promise<object> {
  const { workflowId, args, parentClosePolicy } = options;
  const { run } = here();
  if (parentClosePolicy !== 'ABANDON') run.fail(new Error(`not simulated: children that end with their parent`));
  if (!(await run.command(() => run.world.start(type, workflowId, args)))) {
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

export async function continueAsNew(...args: unknown[]): Promise<never> {
  return here().run.continueAsNew(args);
}

export function workflowInfo(): { continueAsNewSuggested: boolean } {
  return { continueAsNewSuggested: here().run.mustContinueAsNew };
}

export function upsertMemo(memo: Record<string, unknown>): void {
  Object.assign(here().run.memo, converted(memo));
}

export function upsertSearchAttributes(pairs: { key: { name: string }; value: unknown }[]): void {
  const { searchAttributes } = here().run;
  for (const { key, value } of pairs) searchAttributes[key.name] = [converted(value)];
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
