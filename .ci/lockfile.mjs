// npm leaves optional packages for other platforms out of package-lock.json when its registry does not have them, as that of
// our CI does not, and then `npm ci` refuses that very file, everywhere. `node .ci/lockfile.mjs` adds them; their content
// is then not pinned, only their version. With --check it only says which are missing: `npm run check:lock`.
import { readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const FILE = new URL('../package-lock.json', import.meta.url);

const SYSTEMS = 'aix android darwin freebsd linux netbsd openbsd openharmony sunos win32'.split(' ');
const PROCESSORS = 'arm arm64 ia32 loong64 mips64el ppc64 riscv64 s390x x64 wasm32'.split(' ');
const ALIASES = { armv7: 'arm', windows: 'win32' };

/**
 * The optional packages that package-lock.json speaks of but doesn't list.
 * @param {{packages: Record<string, {version?: string, dev?: boolean, optionalDependencies?: Record<string, string>}>}} lock
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
  const os = SYSTEMS.filter((known) => words.has(known));
  const cpu = PROCESSORS.filter((known) => words.has(known));
  const libc = words.has('musl') ? ['musl'] : words.has('gnu') ? ['glibc'] : [];
  return {
    ...(os.length > 0 ? { os } : {}),
    ...(cpu.length > 0 ? { cpu } : {}),
    ...(libc.length > 0 && words.has('linux') ? { libc } : {}),
  };
}

if (fileURLToPath(import.meta.url) === realpathSync(process.argv[1] ?? '.')) {
  const lock = JSON.parse(readFileSync(FILE, 'utf8'));
  const missing = missingFromLock(lock);
  const names = missing.map(({ path }) => path.replace('node_modules/', '')).join(', ');
  if (process.argv[2] !== '--check') {
    for (const { path, entry } of missing) lock.packages[path] = entry;
    const sorted = Object.entries(lock.packages).toSorted(([a], [b]) => a.localeCompare(b, 'en'));
    writeFileSync(FILE, `${JSON.stringify({ ...lock, packages: Object.fromEntries(sorted) }, undefined, 2)}\n`);
    process.stdout.write(`${missing.length} added: ${names}\n`);
  } else if (missing.length > 0) {
    process.stdout.write(`package-lock.json lacks ${names}: npm ci refuses it. Run node .ci/lockfile.mjs.\n`);
    process.exitCode = 1;
  }
}
