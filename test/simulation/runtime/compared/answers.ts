import { ApplicationFailure } from '@temporalio/common';
import type { Activities, HealDecision, OperationEnd } from '../../../../activities/contract.ts';
import { operationId } from '../../../../domain/ids.ts';
import { health, steady, VM_RUNS } from '../../../support/scripted-activities.ts';
import type { Attempt, Script } from './story.ts';

/** What scripts of stories are made of. */

export const HOUR_MS = 3_600_000;

/** A look without news; the next one is due in an hour, or soon. */
export const quiet = (): never => steady('1 hour');
export const soon = (): never => steady(100);
export const well = () => health(1, 'healthy');
export const ill = () => health(1, 'unhealthy', true);

export const breaks = (): never => {
  throw new Error('it broke');
};
export const breaksForGood = (): never => {
  throw ApplicationFailure.nonRetryable('it is of no use', 'NoUse');
};

export const gives =
  <T>(value: T) =>
  (): T =>
    value;

/** Goes on so once the story lets it. */
export const held =
  <T>(then: (attempt: Attempt) => T) =>
  async (attempt: Attempt): Promise<Awaited<T>> => {
    await attempt.released();
    return await then(attempt);
  };

/** What a heal asks for before it decides, and what a VM's workflow asks for before there is a heal. */
export const PROVIDER = { askProvider: [() => VM_RUNS.askProvider({ vmId: '' })] } satisfies Script;
export const OPENS = { openIncident: [gives({ incident: 1 })] } satisfies Script;

export const holdsFor = (lookAgainInMs: number) =>
  gives<HealDecision>({ kind: 'hold', reason: 'cooldown', lookAgainInMs, line: `holds for ${lookAgainInMs} ms` });
export const holds = holdsFor(HOUR_MS);
export const closes = gives<HealDecision>({ kind: 'close', reason: 'recovered', line: 'over' });
export const acts =
  (verifyMs: number) =>
  ({ vmId }: Attempt): HealDecision => ({
    kind: 'act',
    operationId: operationId(vmId, 1, 'restart', 1),
    action: 'restart',
    verifyMs,
    line: 'acts: restart',
    site: 'main',
  });
export const done = gives<OperationEnd>({ state: 'done', detail: 'restarted' });

type Verified = Awaited<ReturnType<Activities['verify']>>;
export const waits = gives<Verified>({ settled: false, line: 'waits' });
export const helped = gives<Verified>({ settled: true, helped: true, line: 'helped' });
