import { setTimeout as sleep } from 'node:timers/promises';
import { CHECKS_NOTE, registerFleet } from './fleet.ts';
import type { Options } from './options.ts';
import { rssMbOf } from './proc.ts';
import type { Report } from './report.ts';
import { Stops } from './stops.ts';
import { memoryMbOf } from './usage.ts';
import { startWorld } from './world.ts';

const INTERVAL_SECONDS = 60;
const SAMPLE_EVERY_MS = 1_000;

/** How much memory it takes to hold VMs that are looked at once a minute. */
export async function measureHeld(
  { heldVms, seconds, startsPerSecond }: Options,
  report: Report,
  all: Stops,
): Promise<void> {
  report.heading('Memory while VMs are held');
  report.say(
    `${heldVms} VMs every ${INTERVAL_SECONDS} s, held for ${seconds} s after all were looked at. ${CHECKS_NOTE}`,
  );
  const stops = new Stops();
  all.add(() => stops.run());
  try {
    const world = await startWorld({ stops });
    const idle = world.parts.map((part) => memoryMbOf(part));
    const plan = { count: heldVms, intervalSeconds: INTERVAL_SECONDS, namePrefix: 'held', startsPerSecond };
    await registerFleet(world, plan, (line) => report.progress(line));
    report.progress(`holding them for ${seconds} s …`);
    const most = world.parts.map(() => 0);
    let together = 0;
    for (const untilMs = Date.now() + seconds * 1000; Date.now() < untilMs; await sleep(SAMPLE_EVERY_MS)) {
      for (const [index, part] of world.parts.entries()) most[index] = Math.max(most[index] ?? 0, memoryMbOf(part));
      together = Math.max(together, rssMbOf(world.worker.pid) + rssMbOf(world.api.pid));
    }
    const mb = (value: number | undefined) => `${(value ?? 0).toFixed(0)} MB`;
    report.table(
      ['Process', 'Before the first VM', `Holding ${heldVms} VMs, at most`],
      [
        ...world.parts.map(({ name, product }, index) => [
          product ? name : `${name} (not counted)`,
          mb(idle[index]),
          mb(most[index]),
        ]),
        ['worker and API together', '', mb(together)],
      ],
    );
    report.say('RSS of each process with its children; for Postgres the sum of its processes’ PSS.');
    report.add({
      figure: `${heldVms} VMs held, worker and API together (RSS)`,
      goal: '< 600 MB',
      measured: mb(together),
      ok: together < 600,
    });
  } finally {
    await stops.run();
  }
}
