// The one file of local/ that reads the environment. Plain JavaScript: bootstrap.mjs runs before there are packages.

/** What the shell gave to npm. */
export const environment = process.env;

/**
 * The environment for a program that settings meant for others would lead astray.
 * @param {RegExp} others names to leave out
 * @returns {NodeJS.ProcessEnv}
 */
export function environmentWithout(others) {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !others.test(name)));
}
