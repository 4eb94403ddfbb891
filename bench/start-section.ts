import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../local/until.ts';
import { freePorts, startDefib } from '../test/support/defib-process.ts';
import { killProcessesOf, processesOf } from '../test/support/processes-of.ts';
import type { Report } from './report.ts';
import { Stops } from './stops.ts';

const READY_LINE = 'Defib is ready';
const ROUNDS = 3;
/** Between the ready line and Ctrl-C. */
const SETTLE_MS = 1_000;
const STOPPED_WITHIN_MS = 30_000;

/** `npm start` until it says that it is ready: in a new data folder, then again with the same data. */
export async function measureStart(report: Report, all: Stops): Promise<void> {
  report.heading('Start');
  report.say(
    `\`npm start\` with its npm packages installed and its Temporal server cached, until "${READY_LINE}"; ${ROUNDS} rounds, each with a ` +
      'new data folder and then again with the data of that first start.',
  );
  const rows: string[][] = [];
  const fresh: number[] = [];
  const again: number[] = [];
  for (let round = 1; round <= ROUNDS; round++) {
    const dir = realpathSync(mkdtempSync(join(tmpdir(), 'defib-bench-start-')));
    const stops = new Stops();
    all.add(() => stops.run());
    stops.add(() => rmSync(dir, { recursive: true, force: true }));
    stops.add(() => killProcessesOf(join(dir, 'data')));
    try {
      report.progress(`round ${round} of ${ROUNDS} …`);
      fresh.push(await secondsUntilReady(join(dir, 'data')));
      again.push(await secondsUntilReady(join(dir, 'data')));
    } finally {
      await stops.run();
    }
    rows.push([String(round), `${fresh.at(-1)?.toFixed(1)} s`, `${again.at(-1)?.toFixed(1)} s`]);
  }
  report.table(['Round', 'New data folder', 'Existing data'], rows);
  const figure = (what: string, seconds: readonly number[]) => ({
    figure: `\`npm start\` ready, ${what}, slowest of ${ROUNDS}`,
    goal: '< 15 s',
    measured: `${Math.max(...seconds).toFixed(1)} s`,
    ok: Math.max(...seconds) < 15,
  });
  report.add(figure('new data folder, parts cached', fresh), figure('existing data', again));
}

async function secondsUntilReady(dataDir: string): Promise<number> {
  const ports = await freePorts();
  const beganAtMs = performance.now();
  const defib = startDefib('npm start', dataDir, ports);
  await defib.said(new RegExp(READY_LINE));
  const readyMs = performance.now() - beganAtMs;
  await sleep(SETTLE_MS);
  defib.interrupt();
  await until(() => processesOf(dataDir).length === 0, { limitMs: STOPPED_WITHIN_MS });
  return readyMs / 1000;
}
