import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findFreePorts } from '../local/ports.ts';
import { birthMarkOf, endProcess, isRunning } from '../local/processes.ts';
import { treeOf } from './proc.ts';
import type { Report } from './report.ts';
import { Stops } from './stops.ts';
import { ROOT, withoutOwnSettings } from './world.ts';

const READY_LINE = 'Defib is ready';
const READY_WITHIN_MS = 300_000;
const STOPPED_WITHIN_MS = 30_000;
const ROUNDS = 3;
/** Between the ready line and Ctrl-C. */
const SETTLE_MS = 1_000;

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
    const dir = mkdtempSync(join(tmpdir(), 'defib-bench-start-'));
    const stops = new Stops();
    all.add(() => stops.run());
    stops.add(() => rmSync(dir, { recursive: true, force: true }));
    try {
      report.progress(`round ${round} of ${ROUNDS} …`);
      fresh.push(await secondsUntilReady(dir, stops));
      again.push(await secondsUntilReady(dir, stops));
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

async function secondsUntilReady(dir: string, stops: Stops): Promise<number> {
  const [port = 0, postgresPort = 0, temporalPort = 0, uiPort = 0] = await findFreePorts(4);
  const beganAtMs = performance.now();
  const child = spawn('npm', ['start'], {
    cwd: ROOT,
    env: {
      ...withoutOwnSettings(),
      DEFIB_DATA_DIR: join(dir, 'data'),
      PORT: String(port),
      POSTGRES_PORT: String(postgresPort),
      TEMPORAL_PORT: String(temporalPort),
      TEMPORAL_UI_PORT: String(uiPort),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    // a process group of its own, to be sent what Ctrl-C in a terminal sends
    detached: true,
  });
  let ended = false;
  const stop = async (): Promise<void> => {
    if (!ended) await stopLikeCtrlC(child);
    ended = true;
  };
  stops.add(stop);
  let said = '';
  const readyMs = await new Promise<number>((resolve, reject) => {
    const fail = (why: string) => reject(new Error(`npm start ${why}:\n${said.slice(-2_000)}`));
    const timer = setTimeout(() => fail('is not ready'), READY_WITHIN_MS);
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        said += chunk.toString();
        if (!said.includes(READY_LINE)) return;
        clearTimeout(timer);
        resolve(performance.now() - beganAtMs);
      });
    }
    child.once('error', (error) => fail(error.message));
    child.once('exit', (code) => {
      clearTimeout(timer);
      fail(`ended with ${code}`);
    });
  });
  await sleep(SETTLE_MS);
  await stop();
  return readyMs / 1000;
}

/** What has not ended by itself is killed, process by process: Postgres and Temporal have groups of their own. */
async function stopLikeCtrlC(child: ChildProcess): Promise<void> {
  const { pid } = child;
  if (pid === undefined || child.exitCode !== null) return;
  const family = treeOf(pid).map((one) => ({ pid: one, mark: birthMarkOf(one) }));
  process.kill(-pid, 'SIGINT');
  const isLeft = (one: { pid: number; mark: string | undefined }) =>
    isRunning(one.pid) && birthMarkOf(one.pid) === one.mark;
  for (const untilMs = Date.now() + STOPPED_WITHIN_MS; family.some(isLeft) && Date.now() < untilMs; ) await sleep(50);
  for (const one of family.filter(isLeft)) {
    process.stderr.write(`  killing process ${one.pid}, which npm start left running\n`);
    await endProcess(one.pid, [{ signal: 'SIGKILL', waitMs: 5_000 }]);
  }
}
