import { setTimeout as sleep } from 'node:timers/promises';
import autocannon from 'autocannon';
import type { Fleet } from './fleet.ts';
import { judgeTicks } from './looks-section.ts';
import { Durations, type Report } from './report.ts';
import type { World } from './world.ts';

const REQUESTS_PER_SECOND = 50;
const ASK_HEALTH_EVERY_MS = 100;
/** A look that is later than this counts as missed. */
const GRACE_MS = 10_000;

/** The worst bodies that are known, each just below the limit of 1 MB. */
const BODIES: Readonly<Record<string, string>> = {
  '500,000 nested brackets': '['.repeat(500_000),
  '45,000 checks': JSON.stringify({ name: 'x', checks: Array.from({ length: 45_000 }, () => ({ checkType: 'x' })) }),
  '40,000 fields': JSON.stringify(Object.fromEntries(Array.from({ length: 40_000 }, (_, n) => [`field-${n}`, n]))),
  'text of 1 MB': JSON.stringify({ name: '\u0001'.repeat(150_000) }),
};

/** Requests without a right token, as fast as an attack of one machine, while VMs are looked at and `/health` is asked. */
export async function measureAttack(world: World, fleet: Fleet, seconds: number, report: Report): Promise<void> {
  report.heading('Under attack');
  report.say(
    `${REQUESTS_PER_SECOND} requests a second without a right token for ${seconds} s, with the worst bodies known (${Object.keys(BODIES).join(', ')}), while ${fleet.vms.size} VMs are looked at every ${fleet.intervalMs / 1000} s.`,
  );
  report.progress(`waiting ${fleet.intervalMs / 1000} s until all VMs are on their grid …`);
  await sleep(fleet.intervalMs + 3_000);
  report.progress(`asking /health for ${seconds} s without an attack …`);
  const inPeace = await askHealthUntil(world, Date.now() + seconds * 1000);
  report.progress(`attacking for ${seconds} s …`);
  const arrivals = new Map<string, number[]>([...fleet.vms.keys()].map((name) => [name, []]));
  const stopListening = world.targets.listen(({ label, atMs }) => void arrivals.get(label)?.push(atMs));
  const window = { fromMs: Date.now(), untilMs: Date.now() + seconds * 1000 };
  const [attack, health] = await Promise.all([attackFor(world, seconds), askHealthUntil(world, window.untilMs)]);
  await sleep(GRACE_MS);
  stopListening();
  const { late, missed } = judgeTicks(fleet, window, arrivals);
  const answers = Object.entries(attack.statusCodeStats ?? {}).map(([status, { count }]) => `${count} × ${status}`);
  report.table(
    ['Under attack', ''],
    [
      ['requests answered', `${attack.requests.total}: ${answers.join(', ')}; errors ${attack.errors}`],
      ['`/health`, p50 / p99 / max', health.toString()],
      ['the same before the attack', inPeace.toString()],
      ['lateness of looks at the target, p50 / p99 / max', late.toString()],
      ['ticks missed', String(missed.length)],
    ],
  );
  report.add(
    {
      figure: '`/health` under attack, p99',
      goal: '< 50 ms',
      measured: `${health.p99Ms.toFixed(1)} ms`,
      ok: health.p99Ms < 50,
    },
    {
      figure: 'lateness at the target under attack, p99',
      goal: '< 150 ms',
      measured: `${late.p99Ms.toFixed(0)} ms`,
      ok: late.count > 0 && late.p99Ms < 150 && missed.length === 0,
    },
  );
}

/** Half of them carry a token that is wrong, half none. @throws Error when one was let in */
async function attackFor({ apiUrl }: World, seconds: number): Promise<autocannon.Result> {
  const wrong = { 'content-type': 'application/json', authorization: 'Bearer wrong-token-of-an-attacker' };
  const none = { 'content-type': 'application/json' };
  const result = await autocannon({
    url: `${apiUrl}/api/vms`,
    // many, because each may have to wait for a second until its connection is ended
    connections: 100,
    // in a thread of its own, or its own work would make the answers of /health late
    workers: 1,
    duration: seconds,
    overallRate: REQUESTS_PER_SECOND,
    requests: Object.values(BODIES).flatMap((body) => [
      { method: 'POST', body, headers: wrong },
      { method: 'POST', body, headers: none },
    ]),
  });
  if (result['2xx'] > 0) throw new Error(`${result['2xx']} requests without a right token were let in`);
  return result;
}

async function askHealthUntil({ apiUrl }: World, untilMs: number): Promise<Durations> {
  const tookMs: number[] = [];
  for (let nextMs = performance.now(); Date.now() < untilMs; nextMs += ASK_HEALTH_EVERY_MS) {
    await sleep(Math.max(0, nextMs - performance.now()));
    const beganMs = performance.now();
    const answer = await fetch(`${apiUrl}/health`);
    await answer.arrayBuffer();
    tookMs.push(performance.now() - beganMs);
    if (!answer.ok) throw new Error(`/health answered ${answer.status}`);
  }
  return new Durations(tookMs);
}
