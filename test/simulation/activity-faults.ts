import type { Activities } from '../../activities/contract.ts';
import type { ActivityName } from './plan.ts';
import { NoAnswer } from './runtime/activity-run.ts';

/** What becomes of the next call of an activity for a VM. */
export type CallFault =
  /** It is done, and its answer never arrives. */
  | { kind: 'answer-lost' }
  /** It is done, and its answer arrives so much later. */
  | { kind: 'answer-late'; ms: number }
  /** Its worker dies before it begins. */
  | { kind: 'never-begun' }
  /** Its worker stands still for so long, and then goes on, though nobody may wait for it any more. */
  | { kind: 'frozen'; ms: number };

type Act = (input: { vmId?: string; operationId?: string; reason?: string | null }) => Promise<unknown>;

/** Each message to its workflow may restart a VM's look, and there are few within a second. */
const MAX_LOOKS_A_SECOND = 20;

/** Activities on which faults can be laid: each is met once, by the next call for that VM. */
export class FaultyActivities {
  readonly activities: Activities;
  /** When heals decided or verified, by the play's clock. */
  readonly heals: { vmId: string; atMs: number }[] = [];
  /** Decisions that failed by themselves, though without its history a heal holds; VMs that were looked at over and over. */
  readonly troubles: string[] = [];
  /** Faults that calls have met, and the activities that were called: `answer-lost`, `decide`, …. */
  readonly met = new Set<string>();
  /** Told of each pause, or its end (null), that a workflow has stored; of an end before it is stored. */
  pauseStored: (vmId: string, reason: string | null) => Promise<void> = async () => undefined;
  readonly #looks = new Map<string, { secondMs: number; count: number }>();
  readonly #waiting = new Map<string, CallFault>();
  readonly #sleep: (ms: number) => Promise<void>;

  /** `before` is called whenever an activity begins, and answers the play's time. */
  constructor(real: Activities, before: () => Promise<number>, sleep: (ms: number) => Promise<void>) {
    this.#sleep = sleep;
    const wrapped = Object.entries(real as unknown as Record<string, Act>).map(([name, act]) => {
      const faulty: Act = async (input) => {
        const atMs = await before();
        if (name === 'watch') this.#countLook(input.vmId ?? '', atMs);
        if (name === 'decide' || name === 'verify') this.heals.push({ vmId: input.vmId ?? '', atMs });
        return this.#meet(name, input, () => this.#act(name, act, input));
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

  /** @throws NoAnswer when it is too often, or time would hardly pass any more */
  #countLook(vmId: string, atMs: number): void {
    const secondMs = Math.floor(atMs / 1_000);
    const looks = this.#looks.get(vmId);
    const count = looks?.secondMs === secondMs ? looks.count + 1 : 1;
    this.#looks.set(vmId, { secondMs, count });
    if (count <= MAX_LOOKS_A_SECOND) return;
    this.troubles.push(`VM ${vmId} was looked at ${count} times within a second`);
    throw new NoAnswer('too often');
  }

  #act(name: string, act: Act, input: Parameters<Act>[0]): Promise<unknown> {
    if (name === 'storePause') return this.#storePause(act, input);
    return name === 'decide' ? this.#watched(name, act(input)) : act(input);
  }

  async #storePause(act: Act, input: Parameters<Act>[0]): Promise<void> {
    const { vmId = '', reason = null } = input;
    if (reason === null) await this.pauseStored(vmId, null);
    await act(input);
    if (reason !== null) await this.pauseStored(vmId, reason);
  }

  async #watched(name: string, answer: Promise<unknown>): Promise<unknown> {
    return answer.catch((error: unknown) => {
      this.troubles.push(`${name} failed: ${error instanceof Error ? error.message : String(error)}`);
      throw error;
    });
  }

  async #meet(activity: string, input: Parameters<Act>[0], act: () => Promise<unknown>): Promise<unknown> {
    // an operation's id begins with its VM's
    const vmId = input?.vmId ?? input?.operationId?.split('/')[0] ?? '';
    const fault = this.#take(`${activity} ${vmId}`);
    if (fault !== undefined) this.#hasMet(fault, activity);
    switch (fault?.kind) {
      case undefined: {
        const answer = await act();
        const isAct = (answer as { kind?: string } | undefined)?.kind === 'act';
        const late = activity === 'decide' && isAct ? this.#take(`act ${vmId}`) : undefined;
        if (late === undefined) return answer;
        this.#hasMet(late, 'act');
        return this.#answer(late, answer);
      }
      case 'never-begun':
        throw new NoAnswer('the worker died');
      case 'answer-lost':
      case 'answer-late':
        return this.#answer(fault, await act());
      case 'frozen':
        await this.#sleep(fault.ms);
        return act();
    }
  }

  #hasMet({ kind }: CallFault, activity: string): void {
    this.met.add(kind);
    this.met.add(activity);
  }

  #take(key: string): CallFault | undefined {
    const fault = this.#waiting.get(key);
    this.#waiting.delete(key);
    return fault;
  }

  /** What becomes of an answer that is there. */
  async #answer(fault: CallFault, answer: unknown): Promise<unknown> {
    if (!('ms' in fault)) throw new NoAnswer('the worker died');
    await this.#sleep(fault.ms);
    return answer;
  }
}
