import type { WorkflowHandle } from '@temporalio/client';
import { Worker } from '@temporalio/worker';
import { findVm } from '../../db/fleet/find-vms.ts';
import { healWorkflowId, vmWorkflowId } from '../../domain/ids.ts';
import { workflowBundle } from '../../workers/workflow-bundle.ts';
import { BUNDLES } from '../support/run-workers.ts';
import { uniqueActivityIds } from '../support/virtual-world.ts';
import type { Ban } from './perform.ts';
import type { Plan } from './plan.ts';
import type { SimulatedWorld } from './simulated-world.ts';

/** What a play came to. */
export interface Verdict {
  /** What must never be, in sentences. */
  violations: string[];
  /** The test server lost this world by a fault of its own: it says nothing. */
  isLost: boolean;
  /** What occurred, for what a campaign has to have seen: `guard …`, `operation …`. */
  seen: string[];
  vmHours: number;
  commands: number;
}

interface StoredOperation {
  id: string;
  vmId: string;
  incident: number;
  power: string | null;
  state: string;
  result: string;
  presumed: boolean;
  sentAtMs: number | null;
  factsAtMs: number | null;
  checkIds: string[];
}

/** Judges all that a play left behind. */
export async function judge(
  world: SimulatedWorld,
  plan: Plan,
  vmIds: readonly string[],
  bans: readonly Ban[],
): Promise<Verdict> {
  const stored = await findOperations(world);
  const violations = [
    ...vmIds.flatMap((vmId, vm) => judgeCommands(world, vm, ofVm(stored, vmId), bans)),
    ...(await judgeDecisions(world, stored)),
    ...(await judgeEvidence(world, plan, vmIds, stored)),
    ...(await judgeEnds(world)),
    ...(await Promise.all(vmIds.map((vmId, vm) => judgeConvergence(world, plan, vm, vmId)))).flat(),
  ];
  const replayed = await replayAll(world, vmIds);
  return {
    violations: [...violations, ...replayed.violations],
    isLost: replayed.isLost,
    seen: await whatOccurred(world, stored),
    vmHours: (plan.vms.length * plan.endMs) / 3_600_000,
    commands: vmIds.reduce((sum, _, vm) => sum + world.site.commandsOf(vm).length, 0),
  };
}

const ofVm = (stored: readonly StoredOperation[], vmId: string) => stored.filter((one) => one.vmId === vmId);

/** Each command that reached a hypervisor is that of one operation, which says so, and which was wanted. */
function judgeCommands(world: SimulatedWorld, vm: number, stored: StoredOperation[], bans: readonly Ban[]): string[] {
  const commands = world.site.commandsOf(vm);
  const used = new Set<string>();
  return commands.flatMap(({ atMs, action, tick }) => {
    const what = `VM ${vm} was sent ${action} at ${new Date(atMs).toISOString()}`;
    const operation = stored
      .filter(({ sentAtMs, power }) => sentAtMs !== null && sentAtMs <= atMs && power === action)
      .toSorted((a, b) => (a.sentAtMs ?? 0) - (b.sentAtMs ?? 0))
      .at(-1);
    if (operation === undefined) return [`${what}, by no operation`];
    if (used.has(operation.id)) return [`${what} a second time, by operation ${operation.id}`];
    used.add(operation.id);
    const broken = bans.filter(
      (ban) =>
        ban.vm === vm &&
        ban.fromMs < tick &&
        (ban.untilMs === null || tick < ban.untilMs) &&
        !ban.sentBefore.has(operation.id),
    );
    return [
      ...broken.map(({ why }) => `${what}, which was ${why}`),
      ...(operation.state === 'abandoned'
        ? [`${what}, by operation ${operation.id}, which says that it was not sent`]
        : []),
    ];
  });
}

/** Nothing is intended without a decision to act that is on record. */
async function judgeDecisions({ database }: SimulatedWorld, stored: readonly StoredOperation[]): Promise<string[]> {
  const { rows } = await database.pool.query<{ key: string; count: number }>(
    `SELECT vm_id || '/' || incident AS key, count(*)::int AS count FROM heal_steps WHERE kind = 'act' GROUP BY 1`,
  );
  const acts = new Map(rows.map(({ key, count }) => [key, count]));
  const counts = new Map<string, number>();
  for (const { vmId, incident } of stored) {
    const key = `${vmId}/${incident}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return [...counts].flatMap(([key, count]) =>
    count > (acts.get(key) ?? 0) ? [`incident ${key} has ${count} operations and fewer decisions to act`] : [],
  );
}

/** A look may wait this long for its other probes, beside their timeout, before it is stored. */
const STORED_WITHIN_MS = 5_000;

/** Nothing is sent after a healthy look that was stored since the decision, of a check that counted. */
async function judgeEvidence(
  { database }: SimulatedWorld,
  plan: Plan,
  vmIds: readonly string[],
  stored: readonly StoredOperation[],
): Promise<string[]> {
  // while Postgres is away what is seen is stored later
  if (plan.faults.some(({ kind }) => kind === 'database-away' || kind === 'clock-off')) return [];
  const wrong: string[] = [];
  for (const { id, vmId, sentAtMs, factsAtMs, checkIds } of stored) {
    if (sentAtMs === null || factsAtMs === null) continue;
    const timeoutMs = (plan.vms[vmIds.indexOf(vmId)]?.timeoutSeconds ?? 0) * 1_000;
    const { rows } = await database.pool.query<{ at: Date }>(
      `SELECT checked_at AS at FROM check_results
       WHERE check_id = ANY($1::uuid[]) AND status = 'healthy' AND checked_at > $2 AND checked_at < $3`,
      [checkIds, new Date(factsAtMs), new Date(sentAtMs - timeoutMs - STORED_WITHIN_MS)],
    );
    if (rows[0]) wrong.push(`operation ${id} was sent after a healthy look of ${rows[0].at.toISOString()}`);
  }
  return wrong;
}

/** Nothing stays in doubt or unjudged once its incident is over. */
async function judgeEnds({ database }: SimulatedWorld): Promise<string[]> {
  const { rows } = await database.pool.query<{ text: string }>(
    `SELECT 'operation ' || o.id || ' is ' || o.state || ' and its result ' || o.result || ', though its incident is over' AS text
     FROM operations o JOIN incidents i USING (vm_id, incident)
     WHERE i.closed_at IS NOT NULL AND (o.state IN ('intended', 'sent') OR o.result = 'pending')`,
  );
  return rows.map(({ text }) => text);
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
async function judgeConvergence(world: SimulatedWorld, plan: Plan, vm: number, vmId: string): Promise<string[]> {
  const { database, env, site } = world;
  const wrong = (what: string): string[] => [`in the end VM ${vm} ${what}`];
  const described = await env.client.workflow.getHandle(vmWorkflowId(vmId)).describe();
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
  if (described.status.name !== 'RUNNING') return wrong(`has no workflow that runs: ${described.status.name}`);
  if (read.unknownReason === 'stopped-on-purpose') return open ? wrong('is stopped on purpose, and in care') : [];
  if (read.unknownReason !== null) return wrong(`reads unknown (${read.unknownReason})`);
  const isUp = site.vms[vm]?.isUp ?? false;
  if (isUp) {
    if (open) return wrong(`is up, and its incident ${open.incident} open (${open.kind} ${open.reason})`);
    const expected = ['healthy', 'degraded'];
    return expected.includes(read.status) ? [] : wrong(`is up, and reads ${read.status}`);
  }
  if (read.status !== 'unhealthy') return wrong(`is down, and reads ${read.status}`);
  if (open === undefined) return wrong('is down, and nobody heals it');
  const { policy } = plan.vms[vm]!;
  if (open.kind === 'hold' && TOLD_WHY.has(open.reason ?? '')) {
    const wasHealable =
      HEALING.has(policy.action) && open.reason !== 'off-at-hypervisor' && site.vms[vm]?.power !== 'off';
    return wasHealable ? wrong(`is down after hours without faults, holding (${open.reason})`) : [];
  }
  return HEALING.has(policy.action) ? wrong(`is down, and its heal ${open.kind}s (${open.reason})`) : [];
}

async function findOperations({ database }: SimulatedWorld): Promise<StoredOperation[]> {
  const ms = (column: string) => `(extract(epoch FROM ${column}) * 1000)::float8`;
  const { rows } = await database.pool.query<StoredOperation>(
    `SELECT id, vm_id AS "vmId", incident, power, state, result, presumed, ${ms('sent_at')} AS "sentAtMs",
       (fence->>'factsAtMs')::float8 AS "factsAtMs",
       ARRAY(SELECT c->>'checkId' FROM jsonb_array_elements(fence->'checks') c) AS "checkIds"
     FROM operations ORDER BY intended_at, attempt`,
  );
  return rows;
}

/** Every history that was made is replayed against the code that made it. */
async function replayAll({ env, database }: SimulatedWorld, vmIds: readonly string[]) {
  const violations: string[] = [];
  let isLost = false;
  const { rows } = await database.pool.query<{ vmId: string; incident: number }>(
    'SELECT vm_id AS "vmId", incident FROM incidents',
  );
  const ids = [...vmIds.map(vmWorkflowId), ...rows.map(({ vmId, incident }) => healWorkflowId(vmId, incident))];
  const bundle = await workflowBundle(BUNDLES, [uniqueActivityIds]);
  for (const id of ids) {
    const handle = env.client.workflow.getHandle(id);
    const history = await handle.fetchHistory().catch(() => null);
    // an incident whose heal was never started, for Temporal was away: reconcile closes it
    if (history === null) continue;
    if (await wasLost(handle, history)) {
      isLost = true;
      continue;
    }
    await Worker.runReplayHistory({ workflowBundle: bundle }, history).catch((error: unknown) => {
      violations.push(
        `the history of ${id} does not replay: ${error instanceof Error ? error.message : String(error)}`,
      );
    });
  }
  return { violations, isLost };
}

type History = Awaited<ReturnType<WorkflowHandle['fetchHistory']>>;

/**
 * Whether the test server failed a workflow by a fault of its own (docs/design-notes.md): it refuses a workflow task, or forgets an
 * activity that ended while its cancellation was on the way, so that it is neither pending nor over.
 */
async function wasLost(handle: WorkflowHandle, { events }: History): Promise<boolean> {
  const all = events ?? [];
  if (all.some((event) => event.workflowTaskFailedEventAttributes)) return true;
  const described = await handle.describe();
  if (described.status.name !== 'RUNNING') return false;
  const begun = all.filter((event) => event.activityTaskScheduledEventAttributes).length;
  const over = all.filter(
    (event) =>
      event.activityTaskCompletedEventAttributes ??
      event.activityTaskFailedEventAttributes ??
      event.activityTaskTimedOutEventAttributes ??
      event.activityTaskCanceledEventAttributes,
  ).length;
  return begun - over > (described.raw.pendingActivities ?? []).length;
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
