// Plain JavaScript without dependencies. npm leaves optional packages for other platforms out of package-lock.json when
// its registry does not have them, and then `npm ci` refuses that very file, everywhere. `node local/lockfile.mjs` adds
// them; their content is then not pinned, only their version. `npm run check` sees to it that none is missing.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './bootstrap.mjs';

const SYSTEMS = {
  'aix android darwin freebsd linux netbsd openbsd openharmony sunos win32': (name) => name,
  windows: () => 'win32',
};
const PROCESSORS = 'arm arm64 ia32 loong64 mips64el ppc64 riscv64 s390x x64 wasm32'.split(' ');
const ALIASES = { armv7: 'arm', gnueabihf: undefined };

/**
 * The optional packages that package-lock.json speaks of but doesn't list.
 * @param {{packages: Record<string, {dev?: boolean, optionalDependencies?: Record<string, string>}>}} lock
 * @returns {{path: string, entry: object}[]} what to add
 */
export function missingFromLock(lock) {
  const missing = new Map();
  for (const [parent, { optionalDependencies = {}, dev }] of Object.entries(lock.packages)) {
    for (const [name, version] of Object.entries(optionalDependencies)) {
      if (isListed(lock.packages, parent, name)) continue;
      const path = `node_modules/${name}`;
      missing.set(path, { path, entry: { version, ...(dev ? { dev } : {}), optional: true, ...platformOf(name) } });
    }
  }
  return [...missing.values()];
}

/** As Node looks for it: in the parent's own node_modules, then in each one further out. */
function isListed(packages, parent, name) {
  const steps = parent === '' ? [] : parent.split(/\/?node_modules\//).slice(1);
  for (let depth = steps.length; depth >= 0; depth -= 1) {
    const outer = steps.slice(0, depth).map((step) => `node_modules/${step}`);
    if (packages[[...outer, `node_modules/${name}`].join('/')] !== undefined) return true;
  }
  return false;
}

/** Such packages carry their platform in their name: @biomejs/cli-linux-x64-musl. */
function platformOf(name) {
  const words = new Set(name.split(/[/-]/).map((word) => ALIASES[word] ?? word));
  const systems = Object.entries(SYSTEMS).flatMap(([names, toSystem]) =>
    names
      .split(' ')
      .filter((known) => words.has(known))
      .map(toSystem),
  );
  const processors = PROCESSORS.filter((known) => words.has(known));
  const libc = words.has('musl') ? ['musl'] : words.has('gnu') ? ['glibc'] : [];
  return {
    ...(systems.length > 0 ? { os: systems } : {}),
    ...(processors.length > 0 ? { cpu: processors } : {}),
    ...(libc.length > 0 && systems.includes('linux') ? { libc } : {}),
  };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const file = process.argv[2] ?? join(root, 'package-lock.json');
  const lock = JSON.parse(readFileSync(file, 'utf8'));
  const missing = missingFromLock(lock);
  for (const { path, entry } of missing) lock.packages[path] = entry;
  const sorted = Object.entries(lock.packages).toSorted(([a], [b]) => a.localeCompare(b, 'en'));
  lock.packages = Object.fromEntries(sorted);
  writeFileSync(file, `${JSON.stringify(lock, undefined, 2)}\n`);
  process.stdout.write(`${missing.length} added: ${missing.map(({ path }) => path.slice(13)).join(', ')}\n`);
}
