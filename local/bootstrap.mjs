// Plain JavaScript without dependencies: this runs before there are any.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const LEAST_NODE = 20;

/** The folder of the checkout. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Makes sure that Node is new enough and that node_modules is what package-lock.json says; ends the process if not. */
export function bootstrap() {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < LEAST_NODE) fail(`Defib needs Node ${LEAST_NODE} or newer, this is ${process.versions.node}.`);
  const reason = whyInstall(
    readJson(join(root, 'package-lock.json')),
    readJson(join(root, 'node_modules', '.package-lock.json')),
  );
  if (reason === undefined) return;
  process.stderr.write(`Installing npm packages (${reason}) …\n`);
  const npm = process.env.npm_execpath;
  const [file, ...before] = npm?.endsWith('.js') ? [process.execPath, npm] : ['npm'];
  // The tools of `npm run check` and the tests are wanted whatever NODE_ENV says. What npm says is progress: stderr.
  const args = [...before, 'ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund'];
  const installed = spawnSync(file, args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (installed.error) fail(`npm can't be run (${installed.error.message}): install npm, then start again.`);
  if (installed.status !== 0) fail('npm ci failed, see above: put that right, then start again.');
}

/**
 * Why the installed packages are not those of the lock file, or undefined when they are.
 * @param {{packages?: Record<string, {version?: string, integrity?: string, optional?: boolean}>} | undefined} lock
 * @param {{packages?: Record<string, {version?: string, integrity?: string}>} | undefined} installed npm's own record of
 *   what it put into node_modules
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
      if (wanted.optional !== true) return `${name} is missing`;
    } else if (found.version !== wanted.version || found.integrity !== wanted.integrity) {
      return `${name} is ${found.version}, not ${wanted.version}`;
    }
  }
  return undefined;
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
