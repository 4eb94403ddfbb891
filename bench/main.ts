import { execFileSync } from 'node:child_process';
import { FakeQmp } from '../test/support/fake-qmp.ts';
import { removeLeftoverRuns } from '../test/support/leftover-runs.ts';
import { ROOT } from '../test/support/program.ts';
import { measureAttack } from './attack-section.ts';
import { registerFleet } from './fleet.ts';
import { measureHeld } from './held-section.ts';
import { measureList } from './list-section.ts';
import { measureLooks } from './looks-section.ts';
import { describeMachine } from './machine.ts';
import { type Options, parseOptions, USAGE } from './options.ts';
import { measurePower, POWER_VMS } from './power-section.ts';
import { Report } from './report.ts';
import { measureStart } from './start-section.ts';
import { Stops } from './stops.ts';
import { startWorld } from './world.ts';

/** VMs that only fill the list are looked at once an hour. */
const SELDOM_SECONDS = 3_600;

const all = new Stops();
let interrupted = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (interrupted) return;
    interrupted = true;
    process.stderr.write(`\n${signal}: ending what was started …\n`);
    void all.run().then(() => process.exit(130));
  });
}

try {
  await main(parseOptions(process.argv.slice(2)));
} catch (error) {
  if (!interrupted)
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = 1;
} finally {
  if (!interrupted) await all.run();
}

async function main(options: Options): Promise<void> {
  if (process.platform !== 'linux') throw new Error(`The bench reads /proc and runs on Linux only.\n\n${USAGE}`);
  // what production runs is measured, not the sources through tsx
  execFileSync(process.execPath, ['local/build.mjs'], { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] });
  const report = new Report();
  await removeLeftoverRuns((line) => report.progress(line));
  report.heading('Performance', 1);
  report.say(
    'Written by `npm run bench`. It measures real parts: worker and API as `npm run build` makes them, each in a process of its own, all on one machine and on loopback.',
  );
  await describeMachine(report, ['npm run bench', ...process.argv.slice(2)].join(' '));
  if (options.profileDir !== null)
    report.say('The worker was profiled meanwhile, so its figures are worse than usual.');
  const wants = (...sections: ('looks' | 'attack' | 'power' | 'list')[]) =>
    sections.some((one) => options.sections.has(one));
  if (wants('looks', 'attack', 'power', 'list')) await inOneWorld(options, report);
  if (options.sections.has('held')) await measureHeld(options, report, all);
  if (options.sections.has('start')) await measureStart(report, all);
  report.summary();
  if (options.writeTo !== null) report.writeTo(options.writeTo);
}

/** The sections that need VMs being looked at share them: to get there takes minutes. */
async function inOneWorld(options: Options, report: Report): Promise<void> {
  const { sections, vms, intervalSeconds, startsPerSecond, profileDir } = options;
  const stops = new Stops();
  all.add(() => stops.run());
  try {
    const qmps = sections.has('power') ? await startQmps(stops) : [];
    const world = await startWorld({ stops, qmpSocketDirs: qmps.map((qmp) => qmp.dir), profileDir });
    const plan = { count: vms, intervalSeconds, namePrefix: 'bench', startsPerSecond };
    const toProgress = (line: string) => report.progress(line);
    const fleet = await registerFleet(world, plan, toProgress);
    const looks = `${(vms / intervalSeconds).toFixed(0)} looks/s run`;
    if (sections.has('looks')) await measureLooks(world, fleet, options.seconds, report);
    if (sections.has('attack')) await measureAttack(world, fleet, options.seconds, report);
    if (sections.has('power')) await measurePower(world, qmps, `${looks} at the same time.`, report);
    if (sections.has('list')) {
      const more = Math.max(0, options.listVms - vms);
      const fill = { ...plan, count: more, intervalSeconds: SELDOM_SECONDS, namePrefix: 'seldom' };
      if (more > 0) await registerFleet(world, fill, toProgress);
      await measureList(world, vms + more, looks, report);
    }
  } finally {
    await stops.run();
  }
}

async function startQmps(stops: Stops): Promise<FakeQmp[]> {
  const qmps: FakeQmp[] = [];
  for (let count = 0; count < POWER_VMS; count++) {
    const qmp = await FakeQmp.start();
    stops.add(() => qmp.remove());
    qmps.push(qmp);
  }
  return qmps;
}
