import { vi } from 'vitest';
import { policies } from '../../db/schema/heals.ts';
import { tickAtOrBefore } from '../../domain/grid.ts';
import { CORE_TASK_QUEUE, vmWorkflowId } from '../../domain/ids.ts';
import { WORKFLOW } from '../../workflows/messages.ts';
import { seedVm } from '../support/seed-vm.ts';
import { judge, type Verdict } from './judge.ts';
import { Performer } from './perform.ts';
import { ATTEMPT_WINDOW_HOURS, type Plan, type PlannedVm, type TimedFault } from './plan.ts';
import { createSimulatedWorld, type SimulatedWorld } from './simulated-world.ts';

/** The same in every play, so that ticks are. */
const vmIdOf = (vm: number): string => `51000000-0000-4000-8000-${String(vm).padStart(12, '0')}`;
const policyIdOf = (vm: number): string => `51000000-0000-4000-8000-b01c${String(vm).padStart(8, '0')}`;
const GRID_MS = 3_600_000;
const RECONCILE_MS = 120_000;

interface Step {
  atMs: number;
  do(): Promise<void>;
}

/** Plays a plan from beginning to end. Its test file has put workflow-api.ts in the place of `@temporalio/workflow`. */
export async function play(plan: Plan): Promise<Verdict> {
  vi.useFakeTimers({ toFake: ['Date'] });
  try {
    const world = await createSimulatedWorld(plan.vms.length);
    try {
      return await playIn(world, plan);
    } finally {
      await world.close();
    }
  } finally {
    vi.useRealTimers();
  }
}

async function playIn(world: SimulatedWorld, plan: Plan): Promise<Verdict> {
  const { clock } = world;
  const vmIds = plan.vms.map((_, vm) => vmIdOf(vm));
  const policyIds = plan.vms.map((_, vm) => policyIdOf(vm));
  const beganAtMs = tickAtOrBefore(vmIdOf(0), GRID_MS, clock.nowMs) + GRID_MS;
  await clock.advanceTo(beganAtMs);
  for (const [vm, planned] of plan.vms.entries()) await register(world, vm, planned, beganAtMs);
  const performer = new Performer(world, vmIds, policyIds);
  for (const step of stepsOf(plan, performer, world)) {
    await clock.advanceTo(beganAtMs + step.atMs);
    await step.do();
  }
  await clock.advanceTo(beganAtMs + plan.endMs);
  await world.now();
  const { people, pausedUntilQuiet } = performer;
  const { bans, starts } = people;
  return judge(world, { plan, vmIds, beganAtMs, bans, starts, pausedUntilQuiet });
}

function stepsOf({ faults, quietMs, acts, endMs }: Plan, performer: Performer, { calls }: SimulatedWorld): Step[] {
  const beginnings = faults.map((fault): Step => ({ atMs: fault.atMs, do: () => performer.begin(fault) }));
  const ends = faults.flatMap((fault): Step[] => {
    const atMs = endOf(fault);
    // what lasts longer ends when it gets quiet
    if (atMs === null || (fault.kind === 'pause' && atMs >= quietMs)) return [];
    return [{ atMs: Math.min(atMs, quietMs - 1), do: () => performer.end(fault) }];
  });
  const reconciles = Array.from({ length: Math.floor(endMs / RECONCILE_MS) }, (_, index): Step => {
    // as its workflow: one that fails is tried again at the next minute
    return {
      atMs: (index + 1) * RECONCILE_MS,
      do: async () => void (await calls.activities.reconcile().catch(() => null)),
    };
  });
  const calm: Step = { atMs: quietMs, do: () => performer.calm() };
  const later = acts.map((act): Step => ({ atMs: act.atMs, do: () => performer.act(act) }));
  return [...beginnings, ...ends, ...reconciles, calm, ...later].toSorted((a, b) => a.atMs - b.atMs);
}

function endOf(fault: TimedFault): number | null {
  return 'forMs' in fault ? fault.atMs + fault.forMs : null;
}

async function register({ runtime, database }: SimulatedWorld, vm: number, planned: PlannedVm, beganAtMs: number) {
  const now = new Date(beganAtMs);
  const vmId = vmIdOf(vm);
  const { intervalSeconds, timeoutSeconds, failureThreshold, successThreshold, withPing, withAgent, withCertificate } =
    planned;
  const { retryIntervalSeconds = null } = planned;
  const common = { intervalSeconds, retryIntervalSeconds, timeoutSeconds, failureThreshold, successThreshold };
  const checks = [
    { ...common, checkType: 'http', name: '', target: '/' },
    ...(withPing ? [{ ...common, checkType: 'ping', name: '', target: null }] : []),
    ...(withAgent ? [{ ...common, checkType: 'agent', name: '', target: null }] : []),
    ...(withCertificate ? [{ ...common, checkType: 'certificate', name: '', target: null }] : []),
  ];
  const { keepRunning } = planned;
  const provider = { kind: 'qemu', qmpSocket: String(vm) };
  const settings = { id: vmId, name: `vm ${vm}`, address: String(vm), provider, keepRunning, announcedVersion: 1 };
  await seedVm(database, { ...settings, createdAt: now }, checks);
  await database.orm.insert(policies).values({
    id: policyIdOf(vm),
    tenantId: 'default',
    name: `policy ${vm}`,
    enabled: true,
    ...planned.policy,
    attemptWindowHours: ATTEMPT_WINDOW_HOURS,
    notifyOnTrigger: true,
    escalationAction: 'notify_only',
    vmId,
    tag: null,
    createdAt: now,
    updatedAt: now,
  });
  await runtime.client.workflow.start(WORKFLOW.vmHealth, {
    workflowId: vmWorkflowId(vmId),
    taskQueue: CORE_TASK_QUEUE,
    args: [{ vmId, tenantId: 'default', site: 'main' }],
  });
}
