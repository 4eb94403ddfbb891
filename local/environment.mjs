// The one file of local/ that reads the environment. Plain JavaScript: bootstrap.mjs runs before there are packages.
import { existsSync } from 'node:fs';

/** What the shell gave to npm. */
export const environment = process.env;

/** What the loader of `.env` files came with. */
const MIN_NODE_WITH_LOADER = '20.12';

/**
 * Adds what a file of settings says to the environment, by Node's own loader: https://nodejs.org/api/process.html#processloadenvfilepath.
 * What the environment has already, wins, also when it is empty.
 * @param {string} file
 * @returns {string | undefined} a line about it; undefined when there is no such file
 * @throws {Error} when it can't be read
 */
export function readEnvFile(file) {
  if (!existsSync(file)) return undefined;
  if (process.loadEnvFile === undefined)
    return `${file} is not read: that needs Node ${MIN_NODE_WITH_LOADER} or newer.`;
  const before = new Set(Object.keys(environment));
  process.loadEnvFile(file);
  const added = Object.keys(environment).filter((name) => !before.has(name));
  return `Settings from ${file}: ${added.length > 0 ? added.join(', ') : 'none that are not set already'}.`;
}

/** Names that a server may need, whatever it is. Go's limits are among them, but not its proxy, whose address may hold a password. */
const NEEDED =
  /^(PATH|HOME|USER|LOGNAME|TMPDIR|TEMP|TMP|TZ|LANG|LD_LIBRARY_PATH|SYSTEMROOT|GO(MAXPROCS|MEMLIMIT|GC|DEBUG))$/i;

/** Names of settings that hold a secret, of Defib and of whatever else a shell has. */
const SECRET = /^(DATABASE_URL|PG\w+|TEMPORAL_\w+)$|PASSWORD|SECRET|TOKEN|CREDENTIAL|_KEY$/i;

/**
 * The environment for a server of ours: only what any program may need. Settings of Defib hold secrets that are no concern of
 * servers, and others that a shell sets for clients (PG…, TEMPORAL_…) would lead them astray.
 * @param {NodeJS.ProcessEnv} given
 * @returns {NodeJS.ProcessEnv}
 */
export function environmentOfServers(given = environment) {
  return Object.fromEntries(Object.entries(given).filter(([name]) => NEEDED.test(name)));
}

/**
 * The environment for a tool whose own settings nobody knows all of: all but secrets.
 * @param {NodeJS.ProcessEnv} given
 * @returns {NodeJS.ProcessEnv}
 */
export function environmentOfTools(given) {
  return Object.fromEntries(Object.entries(given).filter(([name]) => !SECRET.test(name)));
}

/**
 * The environment for a program that settings meant for others would lead astray.
 * @param {RegExp} others names to leave out
 * @returns {NodeJS.ProcessEnv}
 */
export function environmentWithout(others) {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !others.test(name)));
}
