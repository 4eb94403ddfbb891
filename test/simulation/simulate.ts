import { vi } from 'vitest';
import { until } from '../../local/until.ts';
import { NOT_ASKED } from '../support/scripted-activities.ts';
import type { Host } from './host.ts';
import type { Verdict } from './judge.ts';
import type { Plan } from './plan.ts';
import { play } from './play.ts';
import type { Act } from './runtime/activity-run.ts';
import { VirtualClock } from './runtime/virtual-clock.ts';
import { WorkflowRuntime } from './runtime/workflow-runtime.ts';
import type { SimulatedWorld } from './simulated-world.ts';

const BEGINS_MS = Date.UTC(2026, 0, 1);
/** So few that runs often continue as new. */
const MAX_EVENTS = 150;

/** Plays a plan in this process. Its test file has put workflow-api.ts in the place of `@temporalio/workflow`. */
export async function simulate(plan: Plan): Promise<Verdict> {
  let world: SimulatedWorld | null = null;
  vi.useFakeTimers({ toFake: ['Date'] });
  try {
    const clock = new VirtualClock(BEGINS_MS, (nowMs) => vi.setSystemTime(nowMs));
    const activities = Object.keys(NOT_ASKED).map((name): [string, Act] => {
      return [name, (input) => (world!.calls.activities as unknown as Record<string, Act>)[name]!(input)];
    });
    const host = inProcess(clock, new WorkflowRuntime(clock, Object.fromEntries(activities), MAX_EVENTS));
    return await play(host, plan, (made) => {
      world = made;
    });
  } finally {
    vi.useRealTimers();
  }
}

function inProcess(clock: VirtualClock, runtime: WorkflowRuntime): Host {
  return {
    client: runtime.client,
    nowMs: async () => clock.nowMs,
    sleep: (ms) => clock.wait(ms),
    passTime: (ms) => clock.advanceTo(clock.nowMs + ms),
    setManned: (isManned) => {
      runtime.isManned = isManned;
    },
    settle: (isOver) =>
      until(isOver, { pause: () => new Promise((resolve) => setTimeout(resolve, 5)) }).then(() => undefined),
    failures: () => runtime.failures,
  };
}
