import { findVm } from '../../db/fleet/find-vms.ts';
import { vmWorkflowId } from '../../domain/ids.ts';
import { judgeCommands } from './judge-commands.ts';
import { judgeDecisions } from './judge-decisions.ts';
import { judgeQuiet } from './judge-quiet.ts';
import { type Plan, slowestOf } from './plan.ts';
import type { Played } from './played.ts';
import type { SimulatedWorld } from './simulated-world.ts';
import { findStoredOperations, type StoredOperation } from './stored-operations.ts';

/** What a play came to. */
export interface Verdict {
  /** What must never be, in sentences. */
  violations: string[];
  /** What occurred, for what a campaign has to have seen: `guard …`, `operation …`. */
  seen: string[];
  vmHours: number;
  commands: number;
}

/** Judges all that a play left behind. */
export async function judge(world: SimulatedWorld, played: Played): Promise<Verdict> {
  const { plan, vmIds } = played;
  const stored = await findStoredOperations(world);
  const commandsOf = (vm: number) => world.site.commandsOf(vm);
  const violations = [
    ...vmIds.flatMap((vmId, vm) =>
      judgeCommands(
        world,
        vm,
        stored.filter((one) => one.vmId === vmId),
        played,
      ),
    ),
    ...(await judgeDecisions(world, stored, played)),
    ...(await judgeQuiet(world, stored, played)),
    ...(await Promise.all(vmIds.map((_, vm) => judgeConvergence(world, vm, stored, played)))).flat(),
  ];
  return {
    violations: [...violations, ...world.runtime.failures],
    seen: [...(await whatOccurred(world, stored)), ...[...world.calls.met].map((what) => `met ${what}`)],
    vmHours: (plan.vms.length * plan.endMs) / 3_600_000,
    commands: vmIds.reduce((sum, _, vm) => sum + commandsOf(vm).length, 0),
  };
}

/** Reasons for which an ill VM may stay so: people are told, or its policy wants nothing done that would help. */
const TOLD_WHY: ReadonlySet<string> = new Set([
  'attempts-used-up',
  'action-unsupported',
  'off-at-hypervisor',
  'not-sendable',
]);
const HEALING: ReadonlySet<string> = new Set(['restart', 'reset']);

/** When nothing has gone wrong for hours, every VM is well, or has told why not. */
async function judgeConvergence(
  world: SimulatedWorld,
  vm: number,
  stored: readonly StoredOperation[],
  { plan, vmIds, beganAtMs }: Played,
): Promise<string[]> {
  const vmId = vmIds[vm]!;
  const { database, runtime, site } = world;
  const wrong = (what: string): string[] => [`in the end VM ${vm} ${what}`];
  const described = await runtime.client.workflow.getHandle(vmWorkflowId(vmId)).describe();
  const { rows } = await database.pool.query<{ incident: number; kind: string | null; reason: string | null }>(
    `SELECT i.incident, s.kind, s.reason FROM incidents i LEFT JOIN LATERAL (SELECT kind, reason FROM heal_steps h
       WHERE h.vm_id = i.vm_id AND h.incident = i.incident ORDER BY step DESC LIMIT 1) s ON true
     WHERE i.vm_id = $1 AND i.closed_at IS NULL`,
    [vmId],
  );
  const [open] = rows;
  const read = await findVm(database.pool, 'default', vmId, await world.now());
  if (read === null) {
    if (open) return wrong(`is deleted, and its incident ${open.incident} open`);
    return described.status.name === 'RUNNING' ? wrong('is deleted, and its workflow goes on') : [];
  }
  // should its workflow be gone, it is started again with the VM, by the message that says so
  if (read.unknownReason === 'stopped-on-purpose') return open ? wrong('is stopped on purpose, and in care') : [];
  if (described.status.name !== 'RUNNING') return wrong(`has no workflow that runs: ${described.status.name}`);
  if (read.unknownReason !== null) return wrong(`reads unknown (${read.unknownReason})`);
  if (described.memo?.['name'] !== read.name) return wrong('is not named by its workflow any more');
  const isUp = site.vms[vm]?.isUp ?? false;
  if (isUp) {
    if (open) return wrong(`is up, and its incident ${open.incident} open (${open.kind} ${open.reason})`);
    const expected = ['healthy', 'degraded'];
    return expected.includes(read.status) ? [] : wrong(`is up, and reads ${read.status}`);
  }
  if (read.status !== 'unhealthy') {
    return wasStarted(stored, plan, vm, vmId, beganAtMs) ? [] : wrong(`is down, and reads ${read.status}`);
  }
  if (open === undefined) return wrong('is down, and nobody heals it');
  const { policy } = plan.vms[vm]!;
  if (open.kind === 'hold' && TOLD_WHY.has(open.reason ?? '')) {
    const wasHealable =
      HEALING.has(policy.action) && open.reason !== 'off-at-hypervisor' && site.vms[vm]?.power !== 'off';
    return wasHealable ? wrong(`is down after hours without faults, holding (${open.reason})`) : [];
  }
  return HEALING.has(policy.action) ? wrong(`is down, and its heal ${open.kind}s (${open.reason})`) : [];
}

/** Whether Defib started it so late that its checks, which begin anew then, have not failed often enough since. */
function wasStarted(
  stored: readonly StoredOperation[],
  plan: Plan,
  vm: number,
  vmId: string,
  beganAtMs: number,
): boolean {
  const { intervalSeconds, timeoutSeconds } = slowestOf(plan, vm);
  const failsForMs = (plan.vms[vm]!.failureThreshold + 1) * (intervalSeconds + timeoutSeconds) * 1_000;
  const sinceMs = beganAtMs + plan.endMs - failsForMs;
  return stored.some((one) => one.vmId === vmId && one.power === 'start' && (one.endedAtMs ?? 0) > sinceMs);
}

async function whatOccurred({ database }: SimulatedWorld, stored: readonly StoredOperation[]): Promise<string[]> {
  const { rows } = await database.pool.query<{ what: string }>(
    `SELECT DISTINCT CASE kind WHEN 'hold' THEN 'guard ' || reason ELSE kind || ' ' || reason END AS what FROM heal_steps
     WHERE kind <> 'act'`,
  );
  const ends = stored.map(({ state, result, presumed, sentAtMs }) => {
    const how = `${sentAtMs === null ? 'unsent' : 'sent'} ${presumed ? 'presumed ' : ''}${state}`;
    return `operation ${how} ${result}`;
  });
  return [...new Set([...rows.map(({ what }) => what), ...ends])];
}
