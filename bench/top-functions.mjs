// node bench/top-functions.mjs DIR|FILE.cpuprofile … [--from S] [--seconds S] [--top N]
// Prints where the time went in .cpuprofile files (V8's format, one per thread): by function and by package, self time.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    from: { type: 'string', default: '0' },
    seconds: { type: 'string', default: 'Infinity' },
    top: { type: 'string', default: '30' },
  },
});
const root = fileURLToPath(new URL('..', import.meta.url));
const fromUs = Number(values.from) * 1e6;
const untilUs = fromUs + Number(values.seconds) * 1e6;

for (const file of positionals.flatMap(profilesIn)) {
  const profile = JSON.parse(readFileSync(file, 'utf8'));
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const byFunction = new Map();
  const byPackage = new Map();
  let atUs = 0;
  let total = 0;
  for (const [index, id] of profile.samples.entries()) {
    // a sample stands for the time until the next one
    const us = profile.timeDeltas[index + 1] ?? 0;
    atUs += profile.timeDeltas[index];
    if (atUs < fromUs || atUs >= untilUs) continue;
    total += us;
    const { functionName, url, lineNumber } = nodes.get(id).callFrame;
    const name = `${functionName || '(anonymous)'}  ${shortened(url)}${lineNumber >= 0 ? `:${lineNumber + 1}` : ''}`;
    byFunction.set(name, (byFunction.get(name) ?? 0) + us);
    const group = packageOf(functionName, url);
    byPackage.set(group, (byPackage.get(group) ?? 0) + us);
  }
  process.stdout.write(`\n${file}: ${(total / 1e6).toFixed(1)} s\n`);
  print('by package or room', byPackage, total);
  print('by function', byFunction, total);
}

function profilesIn(path) {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .filter((name) => name.endsWith('.cpuprofile'))
    .map((name) => join(path, name));
}

function shortened(url) {
  return url
    .replace(/^file:\/\//, '')
    .replace(root, '')
    .replace(/^.*node_modules\//, '');
}

/** (idle), (program) and (garbage collector) are V8's own names for what is no function. */
function packageOf(functionName, url) {
  if (url === '') return functionName.startsWith('(') ? functionName : '(native)';
  if (url.startsWith('node:')) return 'node';
  const inPackage = /^.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url);
  return inPackage ? inPackage[1] : shortened(url).split('/')[0];
}

function print(title, times, total) {
  process.stdout.write(`\n  ${title}\n`);
  const rows = [...times].toSorted(([, a], [, b]) => b - a).slice(0, Number(values.top));
  for (const [name, us] of rows) {
    const percent = ((100 * us) / total).toFixed(1).padStart(5);
    process.stdout.write(`  ${percent} % ${(us / 1e6).toFixed(2).padStart(7)} s  ${name}\n`);
  }
}
