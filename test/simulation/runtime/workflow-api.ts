import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import type { ActivityOptions, SignalDefinition } from '@temporalio/workflow';
import { inMs } from './duration.ts';
import { ContinueAsNew, here, place, type Scope } from './workflow-run.ts';

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

export async function startChild(type: string, options: { workflowId: string; args: unknown[] }): Promise<object> {
  const { workflowId, args } = options;
  if (!here().run.world.start(type, workflowId, args)) {
    throw new WorkflowExecutionAlreadyStartedError('Workflow execution already started', workflowId, type);
  }
  return { workflowId };
}

export function getExternalWorkflowHandle(workflowId: string) {
  const { run } = here();
  return {
    async signal({ name }: SignalDefinition, ...args: unknown[]): Promise<void> {
      if (!run.world.signal(workflowId, name, args)) throw new Error('external workflow execution not found');
    },
  };
}

export async function continueAsNew(...args: unknown[]): Promise<never> {
  throw new ContinueAsNew(args);
}

export function workflowInfo(): { continueAsNewSuggested: boolean } {
  return { continueAsNewSuggested: here().run.mustContinueAsNew };
}

export function upsertMemo(memo: Record<string, unknown>): void {
  Object.assign(here().run.memo, memo);
}

export function upsertSearchAttributes(pairs: { key: { name: string }; value: unknown }[]): void {
  const { searchAttributes } = here().run;
  for (const { key, value } of pairs) searchAttributes[key.name] = [value];
}

export function setCurrentDetails(details: string): void {
  here().run.world.showsDetails(details);
}

export const patched = (): boolean => true;
/** No handler of ours takes time, but for updates, which nobody makes here. */
export const allHandlersFinished = (): boolean => true;
export const setWorkflowOptions = (): void => undefined;
const silent = (): void => undefined;
export const log = { trace: silent, debug: silent, info: silent, warn: silent, error: silent };
