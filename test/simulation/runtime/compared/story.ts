import { Context } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import type { SignalDefinition } from '@temporalio/common';
import type { Activities } from '../../../../activities/contract.ts';
import { CORE_TASK_QUEUE, healWorkflowId, vmWorkflowId } from '../../../../domain/ids.ts';
import { type HealNews, healSignals, vmQueries, WORKFLOW } from '../../../../workflows/messages.ts';

/** Where a story is played: in the simulator's runtime, or on a real server. */
export interface Stage {
  client: Client;
  sleep(ms: number): Promise<void>;
  /** Waits until it is so. @throws Error when that takes too long */
  until(isSo: () => boolean | Promise<boolean>): Promise<void>;
  /** Waits until an activity of that workflow, which runs, is to be cancelled. */
  cancels(workflowId: string): Promise<void>;
}

/** For an attempt of an activity that a story answers. */
export interface Attempt {
  vmId: string;
  /** Resolves once the story lets it go on. */
  released(): Promise<void>;
  heartbeat(details: unknown): void;
}

/** What becomes of an attempt. */
export type Answer<Name extends keyof Activities> = (
  attempt: Attempt,
) => Awaited<ReturnType<Activities[Name]>> | ReturnType<Activities[Name]>;

/** The answers to the attempts of each activity, in order; the last one holds for all later ones. */
export type Script = { [Name in keyof Activities]?: Answer<Name>[] };

/** What is done to one VM and its workflows while activities answer as scripted. */
export interface Story {
  name: string;
  script: Script;
  /** A site where no worker is. */
  site?: 'nowhere';
  play(told: Told): Promise<void>;
}

/** What can be seen of a story, but for times. */
export interface Seen {
  /** Every attempt of an activity, in order, as its workflow asked for it. */
  vmAsked: Asked[];
  healAsked: Asked[];
  vm: object;
  heal: object;
  /** How calls of a client ended. */
  noted: readonly string[];
}

interface Asked {
  activity: string;
  attempt: number;
  input: unknown;
  heartbeat: unknown;
}

const INCIDENT = 1;
/** Of the VM's workflow; the others are its heal's. */
const OF_VM: ReadonlySet<string> = new Set(['watch', 'storePause', 'openIncident']);

/** A story while it is played. */
export class Told {
  readonly #stage: Stage;
  readonly #vmId: string;
  readonly #story: Story;
  readonly #asked: Asked[] = [];
  readonly #noted: string[] = [];
  #isReleased = false;

  constructor(stage: Stage, vmId: string, story: Story) {
    this.#stage = stage;
    this.#vmId = vmId;
    this.#story = story;
  }

  /** For the worker: what an activity answers. */
  async answer(activity: keyof Activities, input: unknown): Promise<unknown> {
    const context = Context.current();
    const { attempt, heartbeatDetails } = context.info;
    const place = this.#count(activity);
    this.#asked.push({ activity, attempt, input: timeless(input), heartbeat: heartbeatDetails ?? null });
    const answers = this.#story.script[activity] ?? [];
    const answer = answers[Math.min(place, answers.length - 1)];
    if (answer === undefined) throw new Error(`${activity} is not asked in this story`);
    return answer({
      vmId: this.#vmId,
      heartbeat: (details) => context.heartbeat(details),
      released: async () => {
        while (!this.#isReleased) await this.#stage.sleep(20);
      },
    });
  }

  /** Waits until so many attempts of it have begun. */
  async asked(activity: keyof Activities, attempts: number): Promise<void> {
    await this.#stage.until(() => this.#count(activity) >= attempts);
  }

  /** Waits until the look that is held is to be cancelled. */
  cancelsLook(): Promise<void> {
    return this.#stage.cancels(vmWorkflowId(this.#vmId));
  }

  /** Keeps how a call ended. */
  async notes(call: Promise<unknown>): Promise<void> {
    this.#noted.push(
      await call.then(
        () => 'done',
        (error: Error) => error.name,
      ),
    );
  }

  /** What is held goes on. */
  release(): void {
    this.#isReleased = true;
  }

  passes(ms: number): Promise<void> {
    return this.#stage.until(
      (
        (untilMs) => () =>
          Date.now() >= untilMs
      )(Date.now() + ms),
    );
  }

  async startVm(): Promise<void> {
    const args = [{ vmId: this.#vmId, tenantId: 'default', site: this.#site }];
    await this.#start(WORKFLOW.vmHealth, vmWorkflowId(this.#vmId), args);
  }

  async startHeal(): Promise<void> {
    const args = [{ vmId: this.#vmId, tenantId: 'default', site: this.#site, incident: INCIDENT }];
    await this.#start(WORKFLOW.healVm, healWorkflowId(this.#vmId, INCIDENT), args);
  }

  signalVm<Args extends unknown[]>(signal: SignalDefinition<Args> | string, ...args: Args): Promise<void> {
    return this.#handle('vm').signal(signal, ...args);
  }

  /** As the API sends them: starts the VM's workflow when there is none. */
  async signalOrStartVm<Args extends unknown[]>(signal: SignalDefinition<Args>, ...signalArgs: Args): Promise<void> {
    await this.#stage.client.workflow.signalWithStart(WORKFLOW.vmHealth, {
      workflowId: vmWorkflowId(this.#vmId),
      taskQueue: CORE_TASK_QUEUE,
      args: [{ vmId: this.#vmId, tenantId: 'default', site: this.#site }],
      signal: signal.name,
      signalArgs: signalArgs as unknown[],
    });
  }

  signalHeal(what: HealNews['what']): Promise<void> {
    return this.#handle('heal').signal(healSignals.news, { what });
  }

  async cancel(): Promise<void> {
    await this.#handle('vm').cancel();
  }

  async terminate(which: 'vm' | 'heal'): Promise<void> {
    await this.#handle(which).terminate();
  }

  /** Waits until it is over, or its status is that one. */
  async ended(which: 'vm' | 'heal'): Promise<void> {
    await this.#stage.until(async () => !['RUNNING', 'none'].includes(await this.#statusOf(which)));
  }

  /** Waits until people are told so of it. */
  async shows(which: 'vm' | 'heal', words: string): Promise<void> {
    await this.#stage.until(async () => (await this.#detailsOf(which)).includes(words));
  }

  /** What there is to see; then nothing of the story goes on. */
  async seen(): Promise<Seen> {
    const isOfVm = ({ activity }: Asked) => OF_VM.has(activity);
    const seen = {
      vmAsked: this.#asked.filter(isOfVm),
      healAsked: this.#asked.filter((one) => !isOfVm(one)),
      vm: await this.#show('vm'),
      heal: await this.#show('heal'),
      noted: this.#noted,
    };
    this.release();
    for (const which of ['vm', 'heal'] as const) await this.terminate(which).catch(() => undefined);
    return JSON.parse(JSON.stringify(seen).replaceAll(this.#vmId, 'VM').replaceAll(CLOCK_TIME, 'a time')) as Seen;
  }

  async #show(which: 'vm' | 'heal'): Promise<object> {
    const status = await this.#statusOf(which);
    if (status === 'none') return { status };
    const { memo, searchAttributes } = await this.#handle(which).describe();
    const { VmName, VmStatus, VmTenant, VmProvider } = searchAttributes;
    const shown = { status, memo, searchAttributes: { VmName, VmStatus, VmTenant, VmProvider } };
    if (status === 'TERMINATED') return shown;
    const details = await this.#detailsOf(which);
    return which === 'heal'
      ? { ...shown, details }
      : { ...shown, details, view: await this.#handle('vm').query(vmQueries.state) };
  }

  async #detailsOf(which: 'vm' | 'heal'): Promise<string> {
    const { currentDetails } = await this.#handle(which).query<{ currentDetails: string }>(
      '__temporal_workflow_metadata',
    );
    return currentDetails;
  }

  async #statusOf(which: 'vm' | 'heal'): Promise<string> {
    const described = await this.#handle(which)
      .describe()
      .catch(() => null);
    return described?.status.name ?? 'none';
  }

  #handle(which: 'vm' | 'heal') {
    const id = which === 'vm' ? vmWorkflowId(this.#vmId) : healWorkflowId(this.#vmId, INCIDENT);
    return this.#stage.client.workflow.getHandle(id);
  }

  async #start(type: string, workflowId: string, args: unknown[]): Promise<void> {
    await this.#stage.client.workflow.start(type, { workflowId, taskQueue: CORE_TASK_QUEUE, args });
  }

  #count(activity: string): number {
    return this.#asked.filter((one) => one.activity === activity).length;
  }

  get #site(): string {
    return this.#story.site ?? 'main';
  }
}

/** As details and endings say it. */
const CLOCK_TIME = /(\d{4}-\d\d-\d\d )?\d\d:\d\d UTC|\b\d+ s(?= after)/g;
const BEGINNING_OF_TIMES = Date.UTC(2020, 0, 1);

/** Moments differ from play to play. */
function timeless(input: unknown): unknown {
  return JSON.parse(JSON.stringify(input), (_key, value: unknown) =>
    typeof value === 'number' && value > BEGINNING_OF_TIMES ? 'a time' : value,
  ) as unknown;
}
