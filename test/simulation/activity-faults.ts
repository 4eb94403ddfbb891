import { ApplicationFailure } from '@temporalio/common';
import type { Activities } from '../../activities/contract.ts';
import type { ActivityName } from './plan.ts';

/** What becomes of the next call of an activity for a VM. */
export type CallFault =
  /** It is done, and its answer never arrives. */
  | { kind: 'answer-lost' }
  /** Its worker dies before it begins. */
  | { kind: 'never-begun' }
  /** Its worker stands still for so long, and then goes on, though nobody may wait for it any more. */
  | { kind: 'frozen'; ms: number };

type Act = (input: { vmId?: string; operationId?: string }) => Promise<unknown>;

/** Activities on which faults can be laid: each is met once, by the next call for that VM. */
export class FaultyActivities {
  readonly activities: Activities;
  readonly #waiting = new Map<string, CallFault>();
  readonly #sleep: (ms: number) => Promise<void>;

  /** `before` is called whenever an activity begins. */
  constructor(real: Activities, before: () => Promise<void>, sleep: (ms: number) => Promise<void>) {
    this.#sleep = sleep;
    const wrapped = Object.entries(real as unknown as Record<string, Act>).map(([name, act]) => {
      const faulty: Act = async (input) => {
        await before();
        return this.#meet(name, input, () => act(input));
      };
      return [name, faulty] as const;
    });
    this.activities = Object.fromEntries(wrapped) as unknown as Activities;
  }

  lay(activity: ActivityName, vmId: string, fault: CallFault): void {
    this.#waiting.set(`${activity} ${vmId}`, fault);
  }

  clear(): void {
    this.#waiting.clear();
  }

  async #meet(activity: string, input: Parameters<Act>[0], act: () => Promise<unknown>): Promise<unknown> {
    // an operation's id begins with its VM's
    const vmId = input?.vmId ?? input?.operationId?.split('/')[0] ?? '';
    const key = `${activity} ${vmId}`;
    const fault = this.#waiting.get(key);
    this.#waiting.delete(key);
    switch (fault?.kind) {
      case undefined:
        return act();
      case 'never-begun':
        throw died();
      case 'answer-lost':
        await act();
        throw died();
      case 'frozen':
        await this.#sleep(fault.ms);
        return act();
    }
  }
}

function died(): ApplicationFailure {
  return ApplicationFailure.create({ message: 'the worker died', type: 'Simulated' });
}
