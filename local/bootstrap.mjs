// Installs the npm packages where they are missing; the scripts in package.json begin with it. Plain JavaScript without
// dependencies: it runs before there are any.
import { spawnSync } from 'node:child_process';
import { readFileSync, realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { environment } from './environment.mjs';

const MIN_NODE = 20;

/** @typedef {Record<string, {version?: string, integrity?: string, optional?: boolean} | undefined>} Packages */

/**
 * Why the installed packages are not those of the lock file, or undefined when they are.
 * @param {{packages?: Packages} | undefined} lock
 * @param {{packages?: Packages} | undefined} installed npm's own record of what it put into node_modules
 * @returns {string | undefined}
 */
export function whyInstall(lock, installed) {
  if (installed?.packages === undefined) return 'none are installed yet';
  for (const [path, wanted] of Object.entries(lock?.packages ?? {})) {
    if (path === '') continue;
    const found = installed.packages[path];
    const name = path.replace(/^.*node_modules\//, '');
    if (found === undefined) {
      // Optional ones are mostly for other platforms.
      if (wanted?.optional !== true) return `${name} is missing`;
    } else if (found.version !== wanted?.version || found.integrity !== wanted?.integrity) {
      return `${name} is ${found.version}, not ${wanted?.version}`;
    }
  }
  return undefined;
}

function bootstrap() {
  if (Number.parseInt(process.versions.node) < MIN_NODE) {
    fail(`Defib needs Node ${MIN_NODE} or newer, this is ${process.versions.node}.`);
  }
  const root = new URL('..', import.meta.url);
  const reason = whyInstall(
    readJson(new URL('package-lock.json', root)),
    readJson(new URL('node_modules/.package-lock.json', root)),
  );
  if (reason === undefined) return;
  process.stderr.write(`Installing npm packages (${reason}) …\n`);
  const npm = environment.npm_execpath;
  const [file, ...before] = npm?.endsWith('.js') ? [process.execPath, npm] : ['npm'];
  // The tools of `npm run check` and the tests are wanted whatever NODE_ENV says. What npm says is progress: stderr.
  const args = [...before, 'ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund'];
  const installed = spawnSync(file, args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (installed.error) fail(`npm can't be run (${installed.error.message}): install npm, then start again.`);
  if (installed.status !== 0) fail('npm ci failed, see above: put that right, then start again.');
}

function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

function fail(line) {
  process.stderr.write(`${line}\n`);
  process.exit(1);
}

if (fileURLToPath(import.meta.url) === realpathSync(process.argv[1] ?? '.')) bootstrap();
