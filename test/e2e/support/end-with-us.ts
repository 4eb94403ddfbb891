import { existsSync } from 'node:fs';

const SETPRIV = '/usr/bin/setpriv';

/** A command that the kernel ends by `signal` when the test runner dies, so that a killed run leaves nothing behind. */
export function endWithUs(signal: 'TERM' | 'KILL', command: readonly [string, ...string[]]): [string, string[]] {
  const [program, ...args] = command;
  return existsSync(SETPRIV) ? [SETPRIV, ['--pdeathsig', signal, program, ...args]] : [program, args];
}
