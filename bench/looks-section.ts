import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { tickAfter, tickAtOrBefore } from '../domain/grid.ts';
import { CHECKS_NOTE, type Fleet } from './fleet.ts';
import { Durations, type Report } from './report.ts';
import { meter, type Usage } from './usage.ts';
import type { World } from './world.ts';

/** A look that is later than this counts as missed. */
const GRACE_MS = 10_000;
const MAX_NAMED = 20;

interface Window {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** Looks in care over a time: every tick of every VM in a window, as the target sees it. */
export async function measureLooks(world: World, fleet: Fleet, seconds: number, report: Report): Promise<void> {
  report.heading('Looks in care');
  report.say(`${fleet.vms.size} VMs every ${fleet.intervalMs / 1000} s, ${seconds} s measured. ${CHECKS_NOTE}`);
  report.progress(`all VMs were looked at; waiting ${fleet.intervalMs / 1000} s until all are on their grid …`);
  await sleep(fleet.intervalMs + 3_000);

  report.progress(`measuring for ${seconds} s …`);
  const arrivals = new Map<string, number[]>([...fleet.vms.keys()].map((name) => [name, []]));
  let inWindow = 0;
  const window = { fromMs: Date.now(), untilMs: Date.now() + seconds * 1000 };
  const stopListening = world.targets.listen(({ label, atMs }) => {
    arrivals.get(label)?.push(atMs);
    if (atMs >= window.fromMs && atMs < window.untilMs) inWindow++;
  });
  const used = meter(world);
  const before = await countAttempts(world);
  await sleep(window.untilMs - Date.now());
  const attempts = (await countAttempts(world)) - before;
  const usage = used();
  await sleep(GRACE_MS);
  stopListening();
  const ticks = judgeTicks(fleet, window, arrivals);
  const stored = await countStored(world, window);
  reportLooks(report, fleet, usage, { ...ticks, inWindow, attempts, stored, seconds });
}

interface Ticks {
  readonly expected: number;
  /** Lateness of the first request for each tick. */
  readonly late: Durations;
  readonly missed: readonly { vmId: string; dueAtMs: number }[];
  readonly twice: number;
}

/** A request belongs to the last tick before it. */
export function judgeTicks({ vms, intervalMs }: Fleet, window: Window, arrivals: ReadonlyMap<string, number[]>): Ticks {
  const lateMs: number[] = [];
  const missed: { vmId: string; dueAtMs: number }[] = [];
  let twice = 0;
  for (const [name, vmId] of vms) {
    const seen = new Map<number, number[]>();
    for (const atMs of arrivals.get(name) ?? []) {
      const dueAtMs = tickAtOrBefore(vmId, intervalMs, atMs);
      seen.set(dueAtMs, [...(seen.get(dueAtMs) ?? []), atMs - dueAtMs]);
    }
    const firstMs = tickAfter(vmId, intervalMs, window.fromMs - 1);
    for (let dueAtMs = firstMs; dueAtMs < window.untilMs; dueAtMs += intervalMs) {
      const [late, ...more] = seen.get(dueAtMs) ?? [];
      if (late === undefined) missed.push({ vmId, dueAtMs });
      else lateMs.push(late);
      twice += more.length;
    }
  }
  return { expected: lateMs.length + missed.length, late: new Durations(lateMs), missed, twice };
}

interface Stored {
  readonly results: number;
  readonly notHealthy: number;
  /** When the worker began a probe, after its tick: p50, p99, max. */
  readonly beganLate: string;
}

/** Counts attempts that were stored, also those that found nothing due: each raises its VM's lookSeq by one. */
async function countAttempts({ database }: World): Promise<number> {
  const { rows } = await database.pool.query<{ sum: number }>('SELECT sum(look_seq)::int AS sum FROM vm_status');
  return rows[0]?.sum ?? 0;
}

async function countStored({ database }: World, { fromMs, untilMs }: Window): Promise<Stored> {
  const { rows } = await database.pool.query<{ results: number; not_healthy: number; late: number[] | null }>(
    `SELECT count(*)::int AS results, count(*) FILTER (WHERE status <> 'healthy')::int AS not_healthy,
       percentile_disc(ARRAY[0.5, 0.99, 1]) WITHIN GROUP (ORDER BY extract(epoch FROM checked_at - due_at)::float8 * 1000)
         AS late
     FROM check_results WHERE due_at >= $1 AND due_at < $2`,
    [new Date(fromMs), new Date(untilMs)],
  );
  const { results = 0, not_healthy: notHealthy = 0, late = null } = rows[0] ?? {};
  return { results, notHealthy, beganLate: `${(late ?? []).map((ms) => ms.toFixed(0)).join(' / ')} ms` };
}

function reportLooks(
  report: Report,
  fleet: Fleet,
  usage: Usage,
  seen: Ticks & { inWindow: number; attempts: number; stored: Stored; seconds: number },
): void {
  const { expected, late, missed, twice, inWindow, attempts, stored, seconds } = seen;
  const perSecond = late.count / seconds;
  const cores = cpus().length;
  const share = (ms: number) => `${((100 * ms) / (usage.wallMs * cores)).toFixed(0)} %`;
  report.table(
    ['Looks', ''],
    [
      ['ticks due in the window', String(expected)],
      ['looked at', `${late.count} (${perSecond.toFixed(1)} a second)`],
      ['attempts stored, with those that came too late for their tick', String(attempts)],
      ['missed', String(missed.length)],
      ['looked at more than once', String(twice)],
      ['lateness at the target, p50 / p99 / max', late.toString()],
      ['lateness when a probe began, p50 / p99 / max', stored.beganLate],
      ['results stored for these ticks', `${stored.results} of ${expected * 3}, not healthy ${stored.notHealthy}`],
    ],
  );
  if (missed.length > 0) {
    const named = missed
      .slice(0, MAX_NAMED)
      .map(({ vmId, dueAtMs }) => `${vmId} at ${new Date(dueAtMs).toISOString()}`);
    report.say(`Missed: ${named.join(', ')}${missed.length > MAX_NAMED ? ', …' : ''}`);
  }
  const product = usage.parts.filter((part) => part.product);
  const productMs = product.reduce((sum, part) => sum + part.cpuMs, 0);
  const perLook = (ms: number) => (inWindow === 0 ? 'no look' : `${(ms / inWindow).toFixed(2)} ms`);
  const memory = product.reduce((sum, part) => sum + part.memoryMb, 0);
  report.table(
    ['Process', 'CPU per look', `of ${cores} cores`, 'Memory'],
    [
      ...product.map((part) => [part.name, perLook(part.cpuMs), share(part.cpuMs), `${part.memoryMb.toFixed(0)} MB`]),
      ['Defib together', perLook(productMs), share(productMs), `${memory.toFixed(0)} MB`],
      ...usage.parts
        .filter((part) => !part.product)
        .map((part) => [
          `${part.name} (not counted)`,
          perLook(part.cpuMs),
          share(part.cpuMs),
          `${part.memoryMb.toFixed(0)} MB`,
        ]),
      ['everything else on the machine', '', share(usage.othersCpuMs), ''],
      ['taken by the VM’s host (steal)', '', share(usage.stolenMs), ''],
    ],
  );
  report.say('Memory: RSS; for Postgres the sum of its processes’ PSS, because they share their buffers.');
  const threads = usage.workerThreads.map(([name, ms]) => `${name} ${perLook(ms)}`).join(', ');
  report.say(`The worker by thread, CPU per look: ${threads}.`);
  const setting = `${fleet.vms.size} VMs at ${fleet.intervalMs / 1000} s, three checks each`;
  report.add(
    {
      figure: `looks a second sustained for ${seconds} s (${setting})`,
      goal: '≥ 150',
      measured: perSecond.toFixed(1),
      ok: perSecond >= 150,
    },
    { figure: 'ticks missed', goal: '0', measured: String(missed.length), ok: missed.length === 0 },
    {
      figure: 'lateness at the target, p99',
      goal: '< 150 ms',
      measured: `${late.p99Ms.toFixed(0)} ms`,
      ok: late.p99Ms < 150,
    },
    {
      figure: 'CPU per look over all processes',
      goal: '≤ 8 ms',
      measured: perLook(productMs),
      ok: inWindow > 0 && productMs / inWindow <= 8,
    },
  );
}
