import { type Act, slowestOf } from './plan.ts';
import type { Played } from './played.ts';
import type { SimulatedWorld } from './simulated-world.ts';
import type { StoredOperation } from './stored-operations.ts';

/** For what a look or a decision waits for before it begins. */
const MARGIN_MS = 15_000;
const CLOSE_PACE_MS = 5_000;
const FAILURES = 3;

/** Once nothing goes wrong any more, what people ask for happens at once, also when a workflow continues as a new run. */
export async function judgeQuiet(
  world: SimulatedWorld,
  stored: readonly StoredOperation[],
  played: Played,
): Promise<string[]> {
  const violations: string[] = [];
  for (const act of played.plan.acts) {
    const atMs = played.beganAtMs + act.atMs;
    if (act.kind === 'renew-and-look') violations.push(...(await unanswered(world, act, atMs, played)));
    violations.push(...(await notClosely(world, stored, act, atMs, played)));
  }
  for (const vm of played.vmIds.keys()) {
    violations.push(...(await lookedAtSeldom(world, vm, played)), ...(await notLookedAt(world, vm, played)));
  }
  for (const vm of played.pausedUntilQuiet) violations.push(...(await notResumed(world, vm, played)));
  return violations;
}

/** A look that was asked for comes at once. */
async function unanswered({ database }: SimulatedWorld, { vm }: Act, atMs: number, played: Played): Promise<string[]> {
  const { plan, vmIds } = played;
  const timeoutMs = plan.vms[vm]!.timeoutSeconds * 1_000;
  // one that is under way is waited for; if it was asked for, it answers this request too
  const fromMs = atMs - timeoutMs - 1_000;
  const untilMs = atMs + 2 * timeoutMs + MARGIN_MS;
  const { rows } = await database.pool.query(
    `SELECT FROM vms v WHERE v.id = $1 AND v.deleted_at IS NULL AND v.stopped_on_purpose_at IS NULL AND NOT EXISTS
       (SELECT FROM check_results r WHERE r.vm_id = v.id AND r.checked_at BETWEEN $2 AND $3)`,
    [vmIds[vm], new Date(fromMs), new Date(untilMs)],
  );
  return rows.length > 0 ? [`VM ${vm} was not looked at when that was asked for at ${at(atMs)}`] : [];
}

/** While a remedy is verified, its VM goes on being watched closely. */
async function notClosely(
  { database }: SimulatedWorld,
  stored: readonly StoredOperation[],
  { vm }: Act,
  atMs: number,
  { vmIds, plan }: Played,
): Promise<string[]> {
  const paceMs = CLOSE_PACE_MS + 2 * plan.vms[vm]!.timeoutSeconds * 1_000 + MARGIN_MS;
  const fromMs = atMs + 1_000;
  const verified = stored.find((one) => {
    const { endedAtMs, verifyMs, judgedAtMs } = one;
    if (one.vmId !== vmIds[vm] || one.state !== 'done' || endedAtMs === null || endedAtMs > atMs) return false;
    const overMs = Math.min(endedAtMs + verifyMs, judgedAtMs ?? Number.POSITIVE_INFINITY);
    return overMs > fromMs + paceMs;
  });
  if (verified === undefined) return [];
  const { rows } = await database.pool.query(
    'SELECT FROM check_results WHERE vm_id = $1 AND checked_at BETWEEN $2 AND $3 LIMIT 1',
    [vmIds[vm], new Date(fromMs), new Date(fromMs + paceMs)],
  );
  return rows.length > 0 ? [] : [`VM ${vm} was not watched closely from ${at(fromMs)} on, after ${verified.id}`];
}

/** From failure to the Nth failed answer: N intervals and a timeout, whatever the two are. */
async function lookedAtSeldom({ database }: SimulatedWorld, vm: number, played: Played): Promise<string[]> {
  const { plan, vmIds, beganAtMs } = played;
  const { intervalSeconds, timeoutSeconds } = slowestOf(plan, vm);
  const limitMs = (FAILURES * intervalSeconds + timeoutSeconds) * 1_000;
  const fromMs = beganAtMs + plan.quietMs + limitMs;
  const { rows } = await database.pool.query<{ ms: number; at: Date }>(
    `SELECT checked_at AS at, extract(epoch FROM checked_at - lag(checked_at, $3) OVER (ORDER BY due_at))::float8 * 1000 AS ms
     FROM check_results WHERE vm_id = $1 AND check_type = 'http' AND status = 'unhealthy' AND reason = 'timeout' AND checked_at > $2
       AND NOT EXISTS (SELECT FROM check_results w WHERE w.vm_id = $1 AND w.check_type = 'http' AND w.status <> 'unhealthy'
         AND w.checked_at > $2)`,
    [vmIds[vm], new Date(fromMs), FAILURES],
  );
  const seldom = rows.find(({ ms }) => ms > limitMs + MARGIN_MS);
  return seldom ? [`VM ${vm} failed ${FAILURES} times in ${seldom.ms} ms until ${at(seldom.at.getTime())}`] : [];
}

/** By then workflows that were lost have been started again. */
const WATCHED_AGAIN_MS = 600_000;

/** A VM that is watched is never without a look for long, whatever is found; not only if that is all there is to see in the end. */
async function notLookedAt({ database }: SimulatedWorld, vm: number, played: Played): Promise<string[]> {
  const { plan, vmIds, beganAtMs } = played;
  const { intervalSeconds, timeoutSeconds } = slowestOf(plan, vm);
  const limitMs = 2 * (intervalSeconds + timeoutSeconds) * 1_000 + MARGIN_MS;
  const fromMs = beganAtMs + plan.quietMs + WATCHED_AGAIN_MS;
  const { rows } = await database.pool.query<{ at: Date; ms: number }>(
    `SELECT at, extract(epoch FROM at - before)::float8 * 1000 AS ms FROM (
       SELECT at, lag(at) OVER (ORDER BY at) AS before FROM (
         SELECT checked_at AS at FROM check_results WHERE vm_id = $1 AND check_type = 'http' AND checked_at BETWEEN $2 AND $3
         UNION ALL SELECT $2 UNION ALL SELECT $3) looks) gaps
     WHERE EXISTS (SELECT FROM vms v WHERE v.id = $1 AND v.deleted_at IS NULL AND v.stopped_on_purpose_at IS NULL)
     ORDER BY ms DESC NULLS LAST LIMIT 1`,
    [vmIds[vm], new Date(fromMs), new Date(beganAtMs + plan.endMs)],
  );
  const [longest] = rows;
  return longest && longest.ms > limitMs
    ? [`VM ${vm} was not looked at for ${Math.round(longest.ms / 1_000)} s until ${at(longest.at.getTime())}`]
    : [];
}

/** The heal of a VM that was paused decides again as soon as the VM is resumed and looked at. */
async function notResumed(world: SimulatedWorld, vm: number, { plan, vmIds, beganAtMs }: Played): Promise<string[]> {
  const quietMs = beganAtMs + plan.quietMs;
  const untilMs = quietMs + 2 * plan.vms[vm]!.timeoutSeconds * 1_000 + MARGIN_MS;
  const { rows } = await world.database.pool.query(
    'SELECT FROM incidents WHERE vm_id = $1 AND opened_at < $2 AND (closed_at IS NULL OR closed_at > $3)',
    [vmIds[vm], new Date(quietMs), new Date(untilMs)],
  );
  const isHeard = world.calls.heals.some(
    ({ vmId, atMs }) => vmId === vmIds[vm] && atMs >= quietMs - 1_000 && atMs <= untilMs,
  );
  return rows.length === 0 || isHeard
    ? []
    : [`the heal of VM ${vm} was not told that it was resumed at ${at(quietMs)}`];
}

function at(ms: number): string {
  return new Date(ms).toISOString();
}
