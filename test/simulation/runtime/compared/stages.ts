import { vi } from 'vitest';
import type { Activities } from '../../../../activities/contract.ts';
import { until } from '../../../../local/until.ts';
import { type OwnTemporal, startOwnTemporal, startWorkersOn } from '../../../support/real-world.ts';
import { NOT_ASKED } from '../../../support/scripted-activities.ts';
import { VirtualClock } from '../virtual-clock.ts';
import { WorkflowRuntime } from '../workflow-runtime.ts';
import { type Seen, type Stage, type Story, Told } from './story.ts';

const BEGINS_MS = Date.UTC(2026, 0, 1);
const STEP_MS = 50;
const VIRTUAL_LIMIT_MS = 3_600_000;
const LIMIT_MS = 45_000;
/** `PendingActivityState` of Temporal's API. */
const CANCEL_REQUESTED = 3;
const MAX_EVENTS = 4_096;

/** Plays a story in the simulator's runtime. `Date` is faked meanwhile. */
export async function playSimulated(story: Story): Promise<Seen> {
  vi.useFakeTimers({ toFake: ['Date'] });
  try {
    const clock = new VirtualClock(BEGINS_MS, (nowMs) => vi.setSystemTime(nowMs));
    const runtime = new WorkflowRuntime(
      clock,
      (name) => (input) => told.answer(name as keyof Activities, input),
      MAX_EVENTS,
    );
    runtime.isManned = story.site !== 'nowhere';
    const stage: Stage = {
      client: runtime.client,
      sleep: (ms) => clock.wait(ms),
      async until(isSo) {
        const endMs = clock.nowMs + VIRTUAL_LIMIT_MS;
        await clock.advanceTo(clock.nowMs);
        while (!(await isSo())) {
          if (clock.nowMs > endMs) throw new Error(`it was not so within an hour: ${isSo}`);
          await clock.advanceTo(clock.nowMs + STEP_MS);
        }
      },
      cancels: () => clock.advanceTo(clock.nowMs + STEP_MS),
    };
    const told = new Told(stage, vmIdOf(story), story);
    await story.play(told);
    return await told.seen();
  } finally {
    vi.useRealTimers();
  }
}

/** A real server with the real workflows, for all stories at once. */
export async function startRealStage(): Promise<{ play(story: Story): Promise<Seen>; stop(): Promise<void> }> {
  const temporal: OwnTemporal = await startOwnTemporal();
  const told = new Map<string, Told>();
  const answering = (name: string) => (input: { vmId?: string; operationId?: string }) => {
    const vmId = input.vmId ?? input.operationId?.split('/')[0] ?? '';
    return told.get(vmId)?.answer(name as keyof Activities, input);
  };
  const activities = Object.fromEntries(Object.keys(NOT_ASKED).map((name) => [name, answering(name)]));
  const stopWorkers = await startWorkersOn(temporal, activities as unknown as Activities);
  const stage: Stage = {
    client: temporal.client,
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    until: async (isSo) => void (await until(isSo, { limitMs: LIMIT_MS })),
    cancels: async (workflowId) => {
      const handle = temporal.client.workflow.getHandle(workflowId);
      await until(async () => {
        const { pendingActivities } = (await handle.describe()).raw;
        return pendingActivities?.some(({ state }) => state === CANCEL_REQUESTED);
      });
    },
  };
  return {
    async play(story) {
      const own = new Told(stage, vmIdOf(story), story);
      told.set(vmIdOf(story), own);
      await story.play(own);
      return own.seen();
    },
    async stop() {
      await stopWorkers();
      await temporal.stop();
    },
  };
}

/** The same on both stages, and of no other story. */
function vmIdOf({ name }: Story): string {
  const digits = [...name].reduce((hash, letter) => (hash * 31 + letter.charCodeAt(0)) % 1e12, 7);
  return `57000000-0000-4000-8000-${String(digits).padStart(12, '0')}`;
}
