import type { TestWorkflowEnvironment } from '@temporalio/testing';
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
const LAST_STEPS_MS = 180_000;
const LAST_STEP_MS = 3_000;

interface Step {
  atMs: number;
  do(): Promise<void>;
}

/** Plays a plan from beginning to end. `use` is told the world, whose activities the workers are to run. */
export async function play(
  env: TestWorkflowEnvironment,
  plan: Plan,
  use: (world: SimulatedWorld) => void,
): Promise<Verdict> {
  const world = await createSimulatedWorld(env, plan.vms.length);
  use(world);
  try {
    const vmIds = plan.vms.map((_, vm) => vmIdOf(vm));
    const beganAtMs = tickAtOrBefore(vmIdOf(0), GRID_MS, await env.currentTimeMs()) + GRID_MS;
    await sleepUntil(env, beganAtMs);
    for (const [vm, planned] of plan.vms.entries()) await register(world, vm, planned, beganAtMs);
    const performer = new Performer(
      world,
      vmIds,
      plan.vms.map((_, vm) => policyIdOf(vm)),
    );
    for (const step of stepsOf(plan, performer, world)) {
      await sleepUntil(env, beganAtMs + step.atMs);
      await step.do();
    }
    // the server's clock runs on while activities work: in small steps slow looks keep up with it
    for (let leftMs = LAST_STEPS_MS; leftMs >= 0; leftMs -= LAST_STEP_MS) {
      await sleepUntil(env, beganAtMs + plan.endMs - leftMs);
    }
    await world.now();
    return await judge(world, plan, vmIds, performer.bans);
  } finally {
    await world.close();
  }
}

function stepsOf({ faults, quietMs, endMs }: Plan, performer: Performer, { calls }: SimulatedWorld): Step[] {
  const beginnings = faults.map((fault): Step => ({ atMs: fault.atMs, do: () => performer.begin(fault) }));
  const ends = faults.flatMap((fault): Step[] => {
    const atMs = endOf(fault);
    return atMs === null ? [] : [{ atMs: Math.min(atMs, quietMs - 1), do: () => performer.end(fault) }];
  });
  const reconciles = Array.from({ length: Math.floor(endMs / RECONCILE_MS) }, (_, index): Step => {
    // as its workflow: one that fails is tried again at the next minute
    return {
      atMs: (index + 1) * RECONCILE_MS,
      do: async () => void (await calls.activities.reconcile().catch(() => null)),
    };
  });
  const calm: Step = { atMs: quietMs, do: () => performer.calm() };
  return [...beginnings, ...ends, ...reconciles, calm].toSorted((a, b) => a.atMs - b.atMs);
}

function endOf(fault: TimedFault): number | null {
  return 'forMs' in fault ? fault.atMs + fault.forMs : null;
}

async function sleepUntil(env: TestWorkflowEnvironment, atMs: number): Promise<void> {
  const leftMs = atMs - (await env.currentTimeMs());
  if (leftMs > 0) await env.sleep(leftMs);
}

async function register({ env, database }: SimulatedWorld, vm: number, planned: PlannedVm, beganAtMs: number) {
  const now = new Date(beganAtMs);
  const vmId = vmIdOf(vm);
  const { intervalSeconds, timeoutSeconds, failureThreshold, successThreshold, withPing, withCertificate } = planned;
  const common = { intervalSeconds, timeoutSeconds, failureThreshold, successThreshold };
  const checks = [
    { ...common, checkType: 'http', name: '', target: '/' },
    ...(withPing ? [{ ...common, checkType: 'ping', name: '', target: null }] : []),
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
  await env.client.workflow.start(WORKFLOW.vmHealth, {
    workflowId: vmWorkflowId(vmId),
    taskQueue: CORE_TASK_QUEUE,
    args: [{ vmId, tenantId: 'default', site: 'main' }],
  });
}
