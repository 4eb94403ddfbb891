// `npm run check:licences`: which licences the packages of package-lock.json have, and that each is one that Defib may be given away
// with. Says it of the lock file, so it needs no network.
import { readFileSync, realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** They ask for no more than to be named; MPL-2.0 only that changes of its own files are published, CC-BY-4.0 is of data. */
const ALLOWED = new Set(
  'MIT ISC Apache-2.0 BSD-2-Clause BSD-3-Clause 0BSD BlueOak-1.0.0 Unlicense Zlib MPL-2.0 CC-BY-4.0'.split(' '),
);

/** Packages whose licence is in their files, and not where npm reads it. */
const IN_THEIR_FILES = { memorystream: 'MIT', unionfs: 'Unlicense' };

/**
 * How many packages have each licence, and those whose licence is not allowed or not said. Optional packages for other platforms
 * may be in the lock file by their name alone (lockfile.mjs): they are of the same licence as those beside them.
 * @param {{packages: Record<string, {version?: string, license?: string, integrity?: string, optional?: boolean}>}} lock
 */
export function judgeLicences(lock) {
  const counts = new Map();
  const wrong = [];
  for (const [path, { license, integrity, optional }] of Object.entries(lock.packages)) {
    if (path === '' || (license === undefined && integrity === undefined && optional === true)) continue;
    const name = path.replace(/^.*node_modules\//, '');
    const known = license ?? IN_THEIR_FILES[name] ?? 'none';
    counts.set(known, (counts.get(known) ?? 0) + 1);
    if (!isAllowed(known)) wrong.push(`${name}: ${known}`);
  }
  return { counts, wrong };
}

/** Of alternatives one has to be allowed, of several that hold together all. */
function isAllowed(expression) {
  return expression
    .replace(/^\((.*)\)$/, '$1')
    .split(' OR ')
    .some((choice) => choice.split(' AND ').every((licence) => ALLOWED.has(licence)));
}

if (fileURLToPath(import.meta.url) === realpathSync(process.argv[1] ?? '.')) {
  const lock = JSON.parse(readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8'));
  const { counts, wrong } = judgeLicences(lock);
  const list = [...counts].toSorted(([, a], [, b]) => b - a).map(([licence, count]) => `${licence} ${count}`);
  process.stdout.write(`${list.join(', ')}\n`);
  for (const line of wrong) process.stdout.write(`not allowed (.ci/licences.mjs): ${line}\n`);
  process.exitCode = wrong.length === 0 ? 0 : 1;
}
