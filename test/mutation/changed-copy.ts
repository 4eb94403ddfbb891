import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { environment } from '../../local/environment.mjs';
import { ROOT } from '../support/program.ts';
import { type Change, sourceOf } from './change.ts';

/** What tests said of a change. */
export interface Verdict {
  noticed: boolean;
  /** The first test that failed, or how the run ended otherwise; '' when none did. */
  by: string;
}

/** Where reports and copies go; git and all checks pass it over. */
export const OUTPUT = join(ROOT, 'coverage', 'mutation');
const LEFT_OUT = /\/(node_modules|coverage|dist|\.git|\.defib)$/;

/** A run that takes longer hangs: no change makes tests that much slower. */
const LIMIT_MS = 6 * 60_000;

/**
 * A copy of the checkout in which one change at a time is made, to see whether tests notice it. It lies within the checkout,
 * whose packages it finds, so that nothing is changed where people work.
 */
export class ChangedCopy {
  readonly #folder: string;

  constructor() {
    mkdirSync(OUTPUT, { recursive: true });
    this.#folder = mkdtempSync(join(OUTPUT, 'copy-'));
    // one by one: a folder can't be copied into itself
    for (const name of readdirSync(ROOT)) {
      cpSync(join(ROOT, name), join(this.#folder, name), { recursive: true, filter: (path) => !LEFT_OUT.test(path) });
    }
  }

  /** Makes the change, runs the tests of that configuration until one fails, and takes the change back. */
  async tryOut(change: Change | null, config: string): Promise<Verdict> {
    if (change === null) return this.#runTests(config);
    const { file, start, end, replacement } = change;
    const source = sourceOf(file);
    const changed = source.slice(0, start) + replacement + source.slice(end);
    return this.with(new Map([[file, changed]]), () => this.#runTests(config));
  }

  /** Gives these files other contents while something runs in the copy's folder. */
  async with<T>(contents: ReadonlyMap<string, string>, run: (folder: string) => Promise<T>): Promise<T> {
    for (const [file, content] of contents) writeFileSync(join(this.#folder, file), content);
    try {
      return await run(this.#folder);
    } finally {
      for (const file of contents.keys()) writeFileSync(join(this.#folder, file), sourceOf(file));
    }
  }

  #runTests(config: string): Promise<Verdict> {
    const report = join(this.#folder, 'report.json');
    rmSync(report, { force: true });
    // servers that tests start keep their files and bundles here, and go with the copy
    const env = { ...environment, TMPDIR: join(this.#folder, 'tmp') };
    mkdirSync(env.TMPDIR, { recursive: true });
    const args = ['run', '--config', config, '--bail', '1', '--reporter', 'json', '--outputFile', report];
    const vitest = spawn(process.execPath, [join(ROOT, 'node_modules/vitest/vitest.mjs'), ...args], {
      cwd: this.#folder,
      env,
      stdio: 'ignore',
      detached: true,
    });
    return new Promise((resolve, reject) => {
      let isOver = false;
      const limit = setTimeout(() => {
        isOver = true;
        endGroup(vitest.pid);
      }, LIMIT_MS);
      vitest.once('error', reject);
      vitest.once('exit', (code) => {
        clearTimeout(limit);
        endGroup(vitest.pid);
        resolve({ noticed: code !== 0, by: code === 0 ? '' : isOver ? 'no end in time' : firstFailure(report) });
      });
    });
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Ends what a run has left: servers of a worker process that was killed. */
function endGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

interface JsonReport {
  testResults: { name: string; status: string; assertionResults: { fullName: string; status: string }[] }[];
}

function firstFailure(file: string): string {
  if (!existsSync(file)) return 'the run failed';
  const { testResults } = JSON.parse(readFileSync(file, 'utf8')) as JsonReport;
  const failed = testResults.flatMap((result) => result.assertionResults).find(({ status }) => status === 'failed');
  return failed?.fullName ?? 'a file of tests could not be loaded';
}
