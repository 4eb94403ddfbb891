// Plain JavaScript without dependencies, see bootstrap.mjs.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { root } from './bootstrap.mjs';

/** Ctrl-C reaches us from the terminal and again from npm: all within this time is one wish. */
const SAME_WISH_MS = 3_000;
const PARENT_CHECK_MS = 500;

/**
 * Runs a program in the foreground and passes SIGINT, SIGTERM and SIGHUP (as SIGTERM) on to it, once. A second Ctrl-C
 * some seconds later kills it.
 * @param {string} file
 * @param {string[]} args
 * @param {{env?: NodeJS.ProcessEnv}} [options]
 * @returns {Promise<number>} its exit code, 128 + the signal's number when a signal ended it
 */
export function runForeground(file, args, options = {}) {
  return new Promise((resolve) => {
    // Its own process group, or it would get the terminal's signals a second time.
    const child = spawn(file, args, { cwd: root, stdio: 'inherit', detached: true, ...options });
    let firstAt;
    const pass = (signal) => {
      if (firstAt === undefined) {
        firstAt = Date.now();
        child.kill(signal === 'SIGHUP' ? 'SIGTERM' : signal);
      } else if (Date.now() - firstAt > SAME_WISH_MS) {
        process.stderr.write('Killed before it had stopped by itself; the next start clears up.\n');
        child.kill('SIGKILL');
      }
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => pass(signal));
    // npm passes SIGTERM on to the shell between it and us; the shell dies of it and tells nobody.
    const parent = process.ppid;
    const watch = setInterval(() => {
      if (process.env.npm_lifecycle_event === undefined || process.ppid === parent) return;
      clearInterval(watch);
      pass('SIGTERM');
    }, PARENT_CHECK_MS);
    watch.unref();
    child.once('error', (error) => {
      process.stderr.write(`${file} can't be run: ${error.message}\n`);
      resolve(1);
    });
    child.once('exit', (code, signal) => resolve(code ?? 128 + (constants.signals[signal] ?? 0)));
  });
}
