// `npm run check`: everything that judges the code without running it.
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bootstrap, root } from './bootstrap.mjs';
import { missingFromLock } from './lockfile.mjs';

/** Fewer, and dependency-cruiser has not understood the sources: then it finds no fault with anything. */
const LEAST_MODULES = 20;
const AT_ONCE = 2;

/** Folders without TypeScript of ours. */
const NO_ROOMS = new Set(['node_modules', 'dist', 'coverage', 'docs', 'deploy']);

/** Longest first, so that two cores end at the same time. */
const checks = [
  { name: 'knip', args: ['knip', '--no-progress'] },
  { name: 'types', args: ['tsc', '-p', 'tsconfig.json'] },
  { name: 'import walls', args: ['depcruise', '--output-type', 'json'], judge: judgeWalls, onRooms: true },
  { name: 'types of workflows', args: ['tsc', '-p', 'tsconfig.workflows.json'] },
  { name: 'format', args: ['biome', 'check', '.'] },
  { name: 'lint', args: ['oxlint', '--deny-warnings'] },
];

bootstrap();
const rooms = readdirSync(root, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && !NO_ROOMS.has(entry.name))
  .map((entry) => entry.name);
const waiting = [...checks];
const failed = [];
report('lock file', judgeLock());
await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    for (let check = waiting.shift(); check !== undefined; check = waiting.shift()) {
      report(check.name, await run(check));
    }
  }),
);
if (failed.length > 0) process.stdout.write(`Failed: ${failed.join(', ')}.\n`);
process.exitCode = failed.length > 0 ? 1 : 0;

function report(name, { ok, output = '', note }) {
  process.stdout.write(`${ok ? 'ok    ' : 'FAILED'} ${name}${note === undefined ? '' : ` (${note})`}\n`);
  if (ok) return;
  process.stdout.write(`${output.trim()}\n\n`);
  failed.push(name);
}

function judgeLock() {
  const missing = missingFromLock(JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')));
  const names = missing.map(({ path }) => path.replace('node_modules/', ''));
  const output = `package-lock.json lacks ${names.join(', ')}: npm ci refuses it. Run node local/lockfile.mjs.`;
  return { ok: missing.length === 0, output };
}

function run({ args: [tool, ...args], judge, onRooms = false }) {
  return new Promise((resolve) => {
    const program = join(root, 'node_modules', '.bin', tool);
    const child = spawn(program, onRooms ? [...args, ...rooms] : args, {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk) => (out += chunk));
    child.stderr.on('data', (chunk) => (err += chunk));
    child.once('error', (error) => resolve({ ok: false, output: error.message }));
    child.once('close', (code) => resolve(judge ? judge(out, err) : { ok: code === 0, output: out + err }));
  });
}

function judgeWalls(out, err) {
  let summary;
  try {
    summary = JSON.parse(out).summary;
  } catch {
    return { ok: false, output: `${out}${err}` };
  }
  const broken = summary.violations.map(({ rule, from, to, cycle }) => {
    const path = cycle ? cycle.map((step) => step.name ?? step).join(' → ') : to;
    return `${rule.name}: ${from} → ${path}`;
  });
  const seen = summary.totalCruised;
  if (seen < LEAST_MODULES) broken.push(`only ${seen} modules seen, at least ${LEAST_MODULES} expected`);
  return { ok: broken.length === 0, output: broken.join('\n'), note: `${seen} modules` };
}
